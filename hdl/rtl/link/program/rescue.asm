; SPDX-License-Identifier: Apache-2.0
; Rescue: with the boot select pin at reset, the line is offered to what loads by LiteX's serial flash loader (SFL), such
; as litex_term. See fw_tools/pus/rescue.py for its frames and what addresses mean.
;
; Without an answer the payload boots as ever. A break alone leads nowhere: it may be an accident. While the line is
; theirs no report goes out, and a line without a good frame for ten seconds is taken back.

.const sfl_abort 0
.const sfl_load 1
.const sfl_jump 2
.const sfl_success 0x4b             ; K
.const sfl_crc_error 0x43           ; C
.const sfl_unknown 0x55             ; U
.const sfl_error 0x45               ; E
.const sfl_head 4                   ; Octets before the payload: length, CRC-16, command.
.const sfl_place 4                  ; Octets of an address.
.const offer_ms 250
.const gap_ms 100                   ; Between octets of a frame, at most.
.const rest_ms 10                   ; Of the line, behind a frame that is damaged.
.const rescue_ms 10000
.const no_octet 256
.const head_octets 64               ; Of an image's file, before the image.
.const rescue_flash_ms 450          ; Two such waits end within litex_term's second.

.var rescue_patience                ; ms
.var rescue_waited                  ; ms
.var rescue_idle                    ; ms since the last good frame.
.var is_frame_broken
.var sfl_length
.var sfl_crc
.var sfl_command
.var sfl_high                       ; Address of the frame.
.var sfl_low
.var sfl_end_high                   ; Behind its last octet.
.var sfl_end_low
.var sfl_left
.var sfl_octet
.var is_loading                     ; A slot has been begun.
.var rescue_slot
.var rescue_base                    ; Upper half of its address.
.var rescue_next_high               ; Address of the next frame.
.var rescue_next_low
.var rescue_data_high               ; Where its first octet behind the head goes.
.var rescue_data_low
.var rescue_head header_words
.var rescue_head_octets             ; So many of the head have come.
.var rescue_sequence

; A: the slot to boot, 0: as without a rescue.
rescue:
    ldi 1
    st is_silent
rescue_drain:
    st watchdog
    ld tx_idle
    jz rescue_drain
    st rx_raw
    ldi rescue_flash_ms
    st flash_patience
    ldi 0
rescue_offer:
    tax
    ldp sfl_request
    jz rescue_offered
    st tx_raw
    txa
    adi 1
    jmp rescue_offer
rescue_offered:
    ldi 0
    st rescue_idle
rescue_answer_anew:
    st sfl_left                     ; Octets of the answer that have come.
rescue_answer:
    ldi offer_ms
    st rescue_patience
    ld rescue_idle
    cpi offer_ms
    jnc rescue_none
    call rescue_octet
    st rx_release
    jz rescue_none                  ; A delimiter: they speak in frames.
    st sfl_octet
    ld sfl_left
    tax
    ldp sfl_acknowledge
    cmp sfl_octet
    jz rescue_matches
    ldi 0
    tax
    ldp sfl_acknowledge
    xor sfl_octet
    jz rescue_first
    ldi 0
    jmp rescue_answer_anew
rescue_first:
    st sfl_left
rescue_matches:
    ld sfl_left
    adi 1
    st sfl_left
    tax
    ldp sfl_acknowledge
    jnz rescue_answer
    jmp rescue_good

; --- Frames ---------------------------------------------------------------------------------------

rescue_unknown:
    ldi sfl_unknown
    jmp rescue_reply
rescue_failed:
    ldi 0
    st flash_select
    st is_loading
rescue_error:
    ldi sfl_error
    jmp rescue_reply
rescue_done:
    ldi sfl_success
rescue_reply:
    st tx_raw
    ld sfl_length                   ; All of the frame goes, whatever was read of it.
    adi sfl_head
    st rx_seek
rescue_good:
    ldi 0
    st rescue_idle
rescue_next:
    st rx_release
    ldi offer_ms
    st rescue_patience
    ldw rescue_ms
    cmp rescue_idle
    jc rescue_none
    ldi 0
    st is_frame_broken
    call rescue_octet
    cpi no_octet
    jz rescue_next
    st sfl_length
    ldi gap_ms
    st rescue_patience
    st crc_start
    ldi 0xff                        ; Twice: from all ones to zero, where this CRC-16 starts.
    st crc_octet
    st crc_octet
    call rescue_octet
    swp
    st sfl_crc
    call rescue_octet
    or sfl_crc
    st sfl_crc
    call rescue_octet
    st sfl_command
    st crc_octet
    ld sfl_length
rescue_payload:
    jz rescue_whole
    st sfl_left
    call rescue_octet
    st crc_octet
    ld sfl_left
    sbi 1
    jmp rescue_payload
rescue_whole:
    ld is_frame_broken
    jnz rescue_damaged
    ld crc
    cmp sfl_crc
    jnz rescue_damaged
    ldi sfl_head
    st rx_seek
    ld sfl_command
    cpi sfl_load
    jz rescue_load
    cpi sfl_jump
    jz rescue_jump
    cpi sfl_abort
    jnz rescue_unknown
    ldi sfl_success
    st tx_raw
rescue_none:
    ldi 0
rescue_end:
    st slot
    ldi 0
    st is_silent
    st rx_raw
    st flash_select
    ldw flash_timeout
    st flash_patience
    ld slot
    ret

; What is left of it must not be taken for the next one.
rescue_damaged:
    ldi rest_ms
    st rescue_patience
rescue_damaged_more:
    st rx_release
    ldw rescue_ms
    cmp rescue_idle
    jc rescue_none
    ldi 0
    st is_frame_broken
    call rescue_octet
    cpi no_octet
    jnz rescue_damaged_more
    ldi sfl_crc_error
    st tx_raw
    jmp rescue_next

; Reads the next octet of the line into A; no_octet when none comes for as long as there is patience, and from then on
; until is_frame_broken is cleared.
rescue_octet:
    ldi 0
    st rescue_waited
rescue_wait:
    st watchdog
    ld milliseconds
    jz rescue_look
    st elapsed
    add rescue_waited
    st rescue_waited
    ld elapsed
    add rescue_idle
    st rescue_idle
    call timers_passed
rescue_look:
    ld rx_available
    jnz rescue_take
    ld is_frame_broken
    jnz rescue_silence
    ld rescue_waited
    cmp rescue_patience
    jnc rescue_silence
    ld wake
    jmp rescue_wait
rescue_take:
    ld rx_octet
    ret
rescue_silence:
    ldi 1
    st is_frame_broken
    ldi no_octet
    ret

; --- Load -----------------------------------------------------------------------------------------

rescue_load:
    ld sfl_length
    cpi sfl_place+1
    jc rescue_error
    sbi sfl_place
    st sfl_left
    call rescue_address
    ld sfl_low
    add sfl_left
    st sfl_end_low
    ldi 0
    jnc rescue_end_high
    ldi 1
rescue_end_high:
    add sfl_high
    jc rescue_error
    st sfl_end_high
    ld sfl_low
    jnz rescue_goes_on
    ldi 0
    st slot
rescue_find:
    st slot_base
    cmp sfl_high
    jz rescue_begin
    ld slot
    adi 1
    st slot
    cpi slot_count
    jnc rescue_goes_on
    ld slot_base
    adi slot_blocks
    jmp rescue_find

; The first frame of a slot: the file has to begin as one of an image does.
rescue_begin:
    ld sfl_left
    cpi 4
    jc rescue_error
    ldw 0x4657                      ; "FWS1"
    st sfl_octet
    ld rx_word
    cmp sfl_octet
    jnz rescue_error
    ldw 0x5331
    st sfl_octet
    ld rx_word
    cmp sfl_octet
    jnz rescue_error
    ldi sfl_head+sfl_place
    st rx_seek
    ld slot_base
    call rescue_protected
    jnz rescue_error
    ldi 1
    st is_loading
    ld slot
    st rescue_slot
    ld slot_base
    st rescue_base
    st rescue_data_high
    ldi 0
    st rescue_data_low
    st rescue_head_octets
    jmp rescue_check
rescue_goes_on:
    ld is_loading
    jz rescue_error
    ld sfl_end_high
    cmp rescue_next_high
    jnz rescue_new
    ld sfl_end_low
    cmp rescue_next_low
    jz rescue_done                  ; It is there already; its acknowledge was lost.
rescue_new:
    ld sfl_high
    cmp rescue_next_high
    jnz rescue_error
    ld sfl_low
    cmp rescue_next_low
    jnz rescue_error
    ld rescue_base
    call rescue_protected
    jnz rescue_error
rescue_check:
    ld sfl_end_high                 ; The last sector holds the header.
    sub rescue_base
    adi 1
    cpi slot_blocks
    jc rescue_head_octet
    cpi slot_blocks+1
    jnc rescue_error
    ldw header_place+head_octets
    cmp sfl_end_low
    jc rescue_error
rescue_head_octet:
    ld rescue_head_octets
    cpi head_octets
    jnc rescue_data
    adi 1
    st rescue_head_octets
    sbi 1
    shr
    tax
    cpi header_words
    jc rescue_head_place            ; The rest is the SHA-256, which is the ground's.
    ld rx_octet
    jmp rescue_head_count
rescue_head_place:
    ld rescue_head_octets
    ani 1
    jz rescue_head_low
    ld rx_octet
    swp
    stx rescue_head
    jmp rescue_head_count
rescue_head_low:
    ldx rescue_head
    st sfl_octet
    ld rx_octet
    or sfl_octet
    stx rescue_head
rescue_head_count:
    ld sfl_left
    sbi 1
    st sfl_left
    jnz rescue_head_octet
    jmp rescue_loaded
rescue_data:
    ld rescue_data_high
    st place_high
    ld rescue_data_low
    st place_low
rescue_page:
    ldw 0xfff
    and place_low
    jnz rescue_erased
    ld place_low
    jnz rescue_erase
    ld place_high
    cmp rescue_base
    jnz rescue_erase
    call rescue_header_place        ; From here on the slot holds nothing that could boot.
    call flash_erase_at
    jnz rescue_failed
    ld rescue_base
    st place_high
    ldi 0
    st place_low
rescue_erase:
    call flash_erase_at
    jnz rescue_failed
rescue_erased:
    call flash_wait
    jnz rescue_failed
    call flash_enable
    ldi flash_program
    call flash_address
rescue_data_octet:
    ld rx_octet
    st flash_octet
    ld place_low
    adi 1
    st place_low
    jnc rescue_data_count
    ld place_high
    adi 1
    st place_high
rescue_data_count:
    ld sfl_left
    sbi 1
    st sfl_left
    jz rescue_data_end
    ld place_low
    ani 0xff
    jnz rescue_data_octet
    st flash_select
    jmp rescue_page
rescue_data_end:
    st flash_select
    ld place_high
    st rescue_data_high
    ld place_low
    st rescue_data_low
rescue_loaded:
    ld sfl_end_high
    st rescue_next_high
    ld sfl_end_low
    st rescue_next_low
    jmp rescue_done

rescue_address:
    ld rx_word
    st sfl_high
    ld rx_word
    st sfl_low
    ret

; A: upper half of a slot's address; then not 0 where that is closed.
rescue_protected:
    st address_high
    ldi 2
    st memory_kind
    ldi 0
    st address_low
    jmp flash_protected

rescue_header_place:
    ld rescue_base
    adi slot_blocks
    sbi 1
    st place_high
    ldw header_place
    st place_low
    ret

; Erases the sector at place_high and place_low. A: 0, or the failure code.
flash_erase_at:
    call flash_wait
    jnz flash_failed
    call flash_enable
    ldi flash_erase_4k
    call flash_address
    ldi 0
    st flash_select
    jmp flash_wait

; --- Jump -----------------------------------------------------------------------------------------

; To the slot that was loaded, when all of it came and is right: it gets its header, and the next number.
rescue_jump:
    ld sfl_length
    cpi sfl_place
    jnz rescue_error
    call rescue_address
    ld is_loading
    jz rescue_error
    ld sfl_low
    jnz rescue_error
    ld sfl_high
    cmp rescue_base
    jnz rescue_error
    ld rescue_head_octets
    cpi head_octets
    jnz rescue_error
    ld rescue_base
    call rescue_protected
    jnz rescue_error
    call rescue_head_sum
    ld crc
    jnz rescue_error
    ldi 0
rescue_copy:
    tax
    ldx rescue_head
    stx slot_header
    txa
    adi 1
    cpi header_words
    jc rescue_copy
    ld rescue_data_high
    sub rescue_base
    cmp image_length_high
    jnz rescue_error
    ld rescue_data_low
    cmp image_length_low
    jnz rescue_error
    or image_length_high
    jz rescue_error
    ld rescue_slot
    call slot_take
    ld rescue_base
    st slot_base
    ldi flash_id
    st memory_id
    call slot_verify
    jnz rescue_failed
    ldi 0
    st rescue_sequence
rescue_slots:
    st slot
    call slot_open
    jnz rescue_older
    ld sequence
    cmp rescue_sequence
    jc rescue_older
    st rescue_sequence
rescue_older:
    ld slot
    adi 1
    cpi slot_count
    jc rescue_slots
    ld rescue_sequence
    adi 1
    jnc rescue_number
    ldw 0xffff
rescue_number:
    st rescue_head+3
    call rescue_head_sum            ; Of what goes before the last word.
    ld rescue_sequence
    st rescue_head+15
    call rescue_header_place
    call flash_wait
    jnz rescue_failed
    call flash_enable
    ldi flash_program
    call flash_address
    ldi 0
rescue_header_word:
    tax
    ldx rescue_head
    swp
    st flash_octet
    swp
    st flash_octet
    txa
    adi 1
    cpi header_words
    jc rescue_header_word
    ldi 0
    st flash_select
    call flash_wait
    jnz rescue_failed
    ldi sfl_success
    st tx_raw
    ld rescue_slot
    jmp rescue_end

; Takes the head into the sum; rescue_sequence: the sum of all but the last word.
rescue_head_sum:
    st crc_start
    ldi 0
rescue_head_word:
    tax
    cpi 15
    jnz rescue_head_add
    ld crc
    st rescue_sequence
rescue_head_add:
    ldx rescue_head
    swp
    st crc_octet
    swp
    st crc_octet
    txa
    adi 1
    cpi header_words
    jc rescue_head_word
    ret

sfl_request:                        ; "sL5DdSMmkekro\n"
.word 0x73
.word 0x4c
.word 0x35
.word 0x44
.word 0x64
.word 0x53
.word 0x4d
.word 0x6d
.word 0x6b
.word 0x65
.word 0x6b
.word 0x72
.word 0x6f
.word 0x0a
.word 0
sfl_acknowledge:                    ; "z6IHG7cYDID6o\n"
.word 0x7a
.word 0x36
.word 0x49
.word 0x48
.word 0x47
.word 0x37
.word 0x63
.word 0x59
.word 0x44
.word 0x49
.word 0x44
.word 0x36
.word 0x6f
.word 0x0a
.word 0

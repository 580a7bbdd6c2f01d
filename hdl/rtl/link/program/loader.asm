; SPDX-License-Identifier: Apache-2.0
; The loader: what a slot of the flash holds goes into registers and memories. See fw_tools/pus/slots.py for its
; format.
;
; After a reset the update slots are tried, the one with the highest sequence number first, and the golden slot 0 last;
; with the boot select pin the golden one alone, where no rescue comes first. A slot whose header, image or identity is wrong is left out.
;
; A bitstream is booted when it is the one that runs. Another one, of a slot that the FPGA can be made to load, is asked
; for: with it another payload begins here. Behind the header two octets tell how that went: a bit is cleared at each
; attempt, of which there are three, and the other octet when the bitstream has run, which makes attempts free. So one
; that does not come up is not asked for again and again.

.const header_place 0xf000          ; In the last block of a slot: its last sector.
.const header_words 16
.const marks_place 0xf020           ; Behind the header: attempts, whether it has run.
.const attempts_left 4              ; Three bits of the former; this one goes last.
.const warm_boot_key 0xa5a0
.const warm_boot_asked 0x10
.const warm_boot_ms 100             ; So long after that the FPGA has not been made to load it.
.const sequence slot_header+3
.const image_length_high slot_header+8
.const image_length_low slot_header+9
.const image_crc_high slot_header+10
.const image_crc_low slot_header+11
.const image_digest slot_header+12
.const no_slot 0xff
.const image_kind 1
.const bitstream_kind 2
.const no_header 1                  ; Reasons for leaving a slot out; 1 is none: it is empty.
.const bad_header 2
.const bad_image 3
.const other_identity 4
.const bad_content 5
.const not_loaded 6                 ; The FPGA does not load the bitstream, or that does not come up.

.var slot
.var slot_bit
.var slot_base                      ; Upper half of its address.
.var slot_left
.var slot_header 16
.var slot_octet
.var chosen                         ; The best one so far; 0: none.
.var chosen_bit
.var chosen_sequence
.var slots_tried                    ; Bits.
.var slots_refused                  ; Bits.
.var refusal                        ; The last reason.
.var booted_slot
.var is_other                       ; A bitstream that the FPGA is to load.
.var slot_attempts                  ; Its marks.
.var slot_unproven
.var slot_request
.var slot_waited
.var image_left_high
.var image_left_low
.var record_type

loader:
    ldi no_slot
    st booted_slot
    ldi slot_count
    jz loader_end
    ld restart_cause
    cpi 2
    jz loader_end                   ; The engine alone starts anew.
    ld boot_select
    jnz loader_rescue
loader_choose:
    ldi 0
    st chosen
    ldi 2
    st slot_bit
    ldi 1
loader_look:
    st slot
    ld slots_tried
    and slot_bit
    jnz loader_look_next
    call slot_open
    jz loader_compare
    cpi no_header
    jz loader_look_next
    call slot_refuse
    jmp loader_look_next
loader_compare:
    ld chosen
    jz loader_better
    ld sequence
    cmp chosen_sequence
    jc loader_look_next
loader_better:
    ld slot
    st chosen
    ld slot_bit
    st chosen_bit
    ld sequence
    st chosen_sequence
loader_look_next:
    ld slot_bit
    shl
    st slot_bit
    ld slot
    adi 1
    cpi slot_count
    jc loader_look
    ld chosen
    jz loader_golden
    st slot
    ld chosen_bit
    st slot_bit
    or slots_tried
    st slots_tried
    call slot_boot
    jz loader_booted
    call slot_refuse
    jmp loader_choose
loader_rescue:
    call rescue
    jz loader_golden
    call slot_take
    call slot_boot
    jz loader_booted
    call slot_refuse
loader_golden:
    ldw 0xffff
    cmp slots_tried
    jz loader_tell
    ldi 0
    st slot
    ldi 1
    st slot_bit
    call slot_boot
    jz loader_booted
    cpi no_header
    jz loader_tell
    call slot_refuse
    jmp loader_tell
loader_booted:
    ld slot
    st booted_slot
    st event_high
    ld image_digest
    st event_low
    ldi event_slot_booted
    call event_raise
loader_tell:
    ld slots_refused
    jz loader_end
    st event_high
    ld refusal
    st event_low
    ldi event_slot_refused
    call event_raise
loader_end:
    ret

; Takes up the slot in A.
slot_take:
    st slot
    st slot_left
    ldi 1
slot_take_bit:
    st slot_bit
    ld slot_left
    jz slot_taken
    sbi 1
    st slot_left
    ld slot_bit
    shl
    jmp slot_take_bit
slot_taken:
    ret

; Notes the reason in A for leaving the slot out.
slot_refuse:
    st refusal
    ldi 0
    st flash_select
    ld slots_refused
    or slot_bit
    st slots_refused
    ld slots_tried
    or slot_bit
    st slots_tried
    ret

; Reads the header of the slot. A: 0, or the reason.
slot_open:
    ldi flash_id
    st memory_id
    ldi 2
    st memory_kind
    ldi 0
    st slot_base
    ld slot
slot_place:
    jz slot_placed
    st slot_left
    ld slot_base
    adi slot_blocks
    st slot_base
    ld slot_left
    sbi 1
    jmp slot_place
slot_placed:
    call flash_wait
    jnz slot_silent
    ld slot_base
    adi slot_blocks
    sbi 1
    st place_high
    ldw header_place
    st place_low
    st crc_start
    call flash_read_start
    ldi 0
slot_read:
    tax
    call memory_read
    swp
    st slot_octet
    call memory_read
    or slot_octet
    stx slot_header
    txa
    adi 1
    cpi header_words
    jc slot_read
    ldi 0
    st flash_select
    ldw 0x4657                      ; "FWS1"
    cmp slot_header
    jnz slot_empty
    ldw 0x5331
    cmp slot_header+1
    jnz slot_empty
    ld crc
    jnz slot_damaged
    ld image_length_high
    cpi last_block
    jc slot_fits
    jnz slot_long
    ldw header_place                ; The sector of the header is not for the image.
    sub image_length_low
    jc slot_long
slot_fits:
    ld image_length_high
    or image_length_low
    jz slot_damaged
    ldi 0
    ret
slot_silent:
    ldw 0xffff                      ; More than there are: the others will not answer either.
    st slots_tried
    jmp slot_damaged
slot_empty:
    ldi no_header
    ret
slot_long:
slot_damaged:
    ldi bad_header
    ret

; Checks the image of the slot and carries it out. A: 0, or the reason.
slot_boot:
    call slot_open
    jnz slot_end
    call slot_verify
    jnz slot_end
    ld slot_header+2
    cpi bitstream_kind
    jnz slot_load
    ld warm_boot
    and slot_bit
    jz slot_running
    call slot_marks
    ld is_other
    jnz slot_warm_boot
    ld slot_unproven
    jz slot_running
    ldi 0
    call slot_mark
slot_running:
    ldi 0
slot_end:
    ret

; --- Another bitstream ----------------------------------------------------------------------------

; Asks for it and waits. Here again, A has the reason.
slot_warm_boot:
    ld slot_unproven
    jz slot_ask
    ld slot_attempts
    ani attempts_left
    jz slot_not_loaded
    ld place_low
    sbi 1
    st place_low
    ld slot_attempts
    shl
    call slot_mark
slot_ask:
    call flash_wait                 ; The FPGA reads it now.
    jnz slot_not_loaded
    ldw warm_boot_key
    or slot
    st slot_request
    st warm_boot
    adi warm_boot_asked
    st warm_boot
    ldi 0
    st slot_waited
slot_ask_wait:
    st watchdog
    ld milliseconds
    st elapsed
    add slot_waited
    st slot_waited
    call timers_passed
    ld slot_waited
    cpi warm_boot_ms
    jc slot_ask_wait
    ld slot_request
    st warm_boot
slot_not_loaded:
    ldi not_loaded
    ret

; Reads the marks of the slot.
slot_marks:
    ld slot_base
    adi slot_blocks
    sbi 1
    st place_high
    ldw marks_place
    st place_low
    call flash_read_start
    call memory_read
    st slot_attempts
    ldi 0
    st flash_octet
    ld flash_octet
    st slot_unproven
    ldi 0
    st flash_select
    ret

; Writes the octet in A at place_high and place_low.
slot_mark:
    st slot_octet
    call flash_enable
    ldi flash_program
    call flash_address
    ld slot_octet
    st flash_octet
    ldi 0
    st flash_select
    jmp flash_wait

; Compares identity and CRC-32 of the image at slot_base with its header. A: 0, or the reason.
slot_verify:
    ldi 0
    st is_other
    ldi 3
slot_identify:
    tax
    ldx slot_header+4
    st slot_octet
    ld slot_header+2
    cpi image_kind
    jz slot_of_gateware
    cpi bitstream_kind
    jnz slot_other
    ldx build
    jmp slot_identity
slot_of_gateware:
    ldp rtl_digest
slot_identity:
    cmp slot_octet
    jnz slot_other
    txa
    sbi 1
    jnc slot_identify
slot_image:
    ld slot_base
    st address_high
    ldi 0
    st address_low
    ld image_length_high
    st length_high
    ld image_length_low
    st length_low
    call memory_sum
    jnz slot_wrong
    ld crc32_high
    cmp image_crc_high
    jnz slot_wrong
    ld crc32_low
    cmp image_crc_low
    jnz slot_wrong
    ldi 0
    ret
slot_other:
    ld slot_header+2
    cpi bitstream_kind
    jnz slot_foreign
    ld warm_boot
    and slot_bit
    st is_other
    jnz slot_image
slot_foreign:
    ldi other_identity
    ret
slot_wrong:
    ldi bad_image
    ret

; --- Records of an image --------------------------------------------------------------------------

slot_load:
    call memory_start
    call flash_read_start
    ld image_length_high
    st image_left_high
    ld image_length_low
    st image_left_low
slot_record:
    ld image_left_high
    or image_left_low
    jz slot_loaded
    ld image_left_high
    jnz slot_record_whole
    ld image_left_low
    cpi 8
    jc slot_content
slot_record_whole:
    st watchdog
    call image_octet
    st record_type
    call image_octet
    st memory_id
    call image_word
    st parameter_id
    call image_word
    st parameter_high
    st address_high
    call image_word
    st parameter_low
    st address_low
    ld record_type
    cpi 2
    jz slot_memory
    cpi 1
    jnz slot_content
    call parameter_allowed
    jnz slot_content
    ld parameter_id
    st bus_address
    ld parameter_high
    st bus_high
    ld parameter_low
    st bus_low
    ld bus_write
    jmp slot_record
slot_loaded:
    ldi 0
    st flash_select
    ret
slot_content:
    ldi bad_content
    ret

; A memory's octets: ID, address, then the length and as many octets.
slot_memory:
    ld image_left_high
    jnz slot_memory_whole
    ld image_left_low
    cpi 4
    jc slot_content
slot_memory_whole:
    call image_word
    st length_high
    call image_word
    st length_low
    call memory_lookup
    jnz slot_content
    ld memory_kind
    jnz slot_content
    ldi 1
    st is_long
    call memory_check
    jnz slot_content
    ld image_left_low               ; No more than there is.
    sub length_low
    ldi 0
    jnc slot_memory_borrow
    ldi 1
slot_memory_borrow:
    st slot_octet
    ld image_left_high
    sub slot_octet
    jc slot_content
    sub length_high
    jc slot_content
    ld memory_id
    st memory_select
    ld address_high
    st memory_high
    ld address_low
    st memory_low
slot_memory_octet:
    call image_octet
    st memory_octet
    ld length_low
    jnz slot_memory_low
    ld length_high
    sbi 1
    st length_high
    st watchdog
slot_memory_low:
    ld length_low
    sbi 1
    st length_low
    or length_high
    jnz slot_memory_octet
    jmp slot_record

image_word:
    call image_octet
    swp
    st slot_octet
    call image_octet
    or slot_octet
    ret

; Reads the next octet of the image into A.
image_octet:
    ld image_left_low
    jnz image_count
    ld image_left_high
    sbi 1
    st image_left_high
    ldi 0
image_count:
    sbi 1
    st image_left_low
    ldi 0
    st flash_octet
    ld flash_octet
    ret

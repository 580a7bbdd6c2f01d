; SPDX-License-Identifier: Apache-2.0
; Memory management, service 6 (ECSS-E-ST-70-41C 6.6): one area of one memory in each command.

.var memory_row                     ; Offset in the table.
.var memory_kind                    ; 0: behind a gate, 1: the event log, 2: the flash.
.var memory_id
.var address_high
.var address_low
.var length_high
.var length_low
.var place_high                     ; Where the next octet is.
.var place_low
.var left_high                      ; Octets still to come.
.var left_low
.var memory_octet_now
.const memories_size_high memories+1
.const memories_size_low memories+2
.const memories_mask memories+3     ; Octets of a word, minus one.
.const memories_kind memories+4
.const memories_writable memories+5
.const memory_row_words 6

; --- The area -------------------------------------------------------------------------------------

; Reads memory ID and N; 0 in A when there is one area of a memory that we have, else the failure code.
memory_open:
    ld rx_octet
    st memory_id
    st failure_low
    call memory_lookup
    jnz memory_failed
    ld rx_octet
    st failure_low
    cpi 1
    jnz memory_areas
    ld rx_word
    st address_high
    ld rx_word
    st address_low
    ldi 0
    st length_high
    ret
memory_areas:
    ldi 33
    ret

; Finds the row of memory_id. A: 0, or the failure code.
memory_lookup:
    ldi 0
    tax
memory_search:
    ldp memories
    jz memory_unknown
    cmp memory_id
    jz memory_found
    txa
    adi memory_row_words
    tax
    jmp memory_search
memory_found:
    txa
    st memory_row
    ldp memories_kind
    st memory_kind
    ldi 0
    ret
memory_unknown:
    ldi 32
    ret

; Checks the area. A: 0, or the failure code. Where length_high is zero, at most 1,024 octets are taken.
memory_check:
    ld length_high
    st failure_high
    ld length_low
    st failure_low
    or length_high
    jz memory_length
    ld is_long
    jnz memory_align
    ld length_high
    jnz memory_length
    ld length_low
    cpi 1025
    jnc memory_length
memory_align:
    ld memory_row
    tax
    ldp memories_mask
    st memory_octet_now
    ld address_high
    st failure_high
    ld address_low
    st failure_low
    and memory_octet_now
    jnz memory_misaligned
    ld length_low
    and memory_octet_now
    jnz memory_length_misaligned
    ld address_low                  ; The end of the area, which must not lie behind that of the memory.
    add length_low
    st place_low
    ldi 0
    jnc memory_end
    ldi 1
memory_end:
    add address_high
    jc memory_past
    add length_high
    jc memory_past
    st place_high
    ldp memories_size_high
    cmp place_high
    jc memory_past
    sub place_high
    jnz memory_fits
    ldp memories_size_low
    cmp place_low
    jc memory_past
memory_fits:
    ldi 0
    st failure_high
    st failure_low
    ret
memory_length:
    ldi 40
    ret
memory_length_misaligned:
    ld length_high
    st failure_high
    ld length_low
    st failure_low
memory_misaligned:
    ldi 35
    ret
memory_past:
    ldi 34
    ret
.var is_long

; --- Octet by octet -------------------------------------------------------------------------------

; Goes to the first octet of the area.
memory_start:
    ld address_high
    st place_high
    ld address_low
    st place_low
    ld length_high
    st left_high
    ld length_low
    st left_low
    ld memory_id
    st memory_select
    ld address_high
    st memory_high
    ld address_low
    st memory_low
    st crc_start
    ret

; Reads the next octet into A and memory_octet_now, and takes it into the sums.
memory_read:
    ld memory_kind
    jz memory_read_gate
    cpi 1
    jz memory_read_log
    ldi 0
    st flash_octet
    ld flash_octet
    jmp memory_octet_read
memory_read_gate:
    ld memory_octet
    jmp memory_octet_read
memory_read_log:
    ld place_low
    shr
    tax
    ld place_low
    ani 1
    jnz memory_read_low
    ldx log
    swp
    jmp memory_read_masked
memory_read_low:
    ldx log
memory_read_masked:
    ani 0xff
memory_octet_read:
    st memory_octet_now
    st crc_octet
    ld place_low
    adi 1
    st place_low
    ld memory_octet_now
    ret

; Counts an octet down; 0 in A when there are no more.
memory_count:
    ld left_low
    jnz memory_count_low
    ld left_high
    sbi 1
    st left_high
memory_count_low:
    ld left_low
    sbi 1
    st left_low
    or left_high
    ret

; --- TC[6,5] dump -> TM[6,6], TC[6,9] check -> TM[6,10], TC[6,129] check -> TM[6,130] ---------------

memory_dump:
    call memory_open
    jnz memory_failed
    ld rx_word
    st length_low
    ldi 0
    st is_long
    call memory_check
    jnz memory_failed
    call memory_sum
    jnz memory_failed
    ld length_low
    adi 10
    st tm_length
    ldi message_6_6
    call memory_report
    call memory_start
    call flash_read_start
memory_dump_octet:
    call memory_read
    st tx_octet
    call memory_count
    jnz memory_dump_octet
    ldi 0
    st flash_select
    ld crc
    st tx_word
    st tx_end
    ldi 0
memory_failed:
    ret

memory_checksum:
    call memory_open
    jnz memory_failed
    ld rx_word
    st length_low
    ldi 0
    st is_long
    call memory_check
    jnz memory_failed
    call memory_sum
    jnz memory_failed
    ldi 10
    st tm_length
    ldi message_6_10
    call memory_report
    ld crc
    st tx_word
    st tx_end
    ldi 0
    ret

memory_image:
    call memory_open
    jnz memory_failed
    ld rx_word
    st length_high
    ld rx_word
    st length_low
    ldi 1
    st is_long
    call memory_check
    jnz memory_failed
    call memory_sum
    jnz memory_failed
    ldi 14
    st tm_length
    ldi message_6_130
    call tm_answer
    ld memory_id
    st tx_octet
    ldi 1
    st tx_octet
    ld address_high
    st tx_word
    ld address_low
    st tx_word
    ld length_high
    st tx_word
    ld length_low
    st tx_word
    ld crc32_high
    st tx_word
    ld crc32_low
    st tx_word
    st tx_end
    ldi 0
    ret

; Sends the head of a report: memory ID, N, address, length. A: number of the message.
memory_report:
    call tm_answer
    ld memory_id
    st tx_octet
    ldi 1
    st tx_octet
    ld address_high
    st tx_word
    ld address_low
    st tx_word
    ld length_low
    st tx_word
    ret

; Walks over the area for its sums. A: 0, or the failure code. What is timed goes on meanwhile.
memory_sum:
    call flash_wait
    jnz memory_failed
    call memory_start
    call flash_read_start
    ld memory_kind
    cpi 2
    jz memory_sum_flash
memory_sum_octet:
    call memory_read
    ld memory_broken
    jnz memory_uncorrectable
    ld left_low
    ani 0xff
    jnz memory_sum_count
    st watchdog
    call timers
memory_sum_count:
    call memory_count
    jnz memory_sum_octet
    ret
memory_sum_flash:
    ld left_high
    jnz memory_sum_page
    ld left_low
    cpi 257
    jc memory_sum_last
memory_sum_page:
    ldi 256
    st flash_sum
    st watchdog
    call timers
    ld left_low
    sbi 256
    st left_low
    jnc memory_sum_flash
    ld left_high
    sbi 1
    st left_high
    jmp memory_sum_flash
memory_sum_last:
    st flash_sum
    ldi 0
    st flash_select
    ret
memory_uncorrectable:
    ld memory_row
    tax
    ldp memories_mask
    st memory_octet_now
    ld place_low
    sbi 1
    st failure_low
    ldw 0xffff
    xor memory_octet_now
    and failure_low
    st failure_low
    ld address_high
    st failure_high
    ldi 38
    ret

; --- TC[6,2] load ---------------------------------------------------------------------------------

memory_load:
    call memory_open
    jnz memory_failed
    ld rx_word
    st length_low
    ldi 0
    st is_long
    call memory_check
    jnz memory_failed
    ld memory_row
    tax
    ldp memories_writable
    jz memory_read_only
    call flash_protected
    jnz memory_failed
    call memory_start
memory_load_sum:
    ld rx_octet
    st crc_octet
    call memory_count
    jnz memory_load_sum
    ld rx_word
    cmp crc
    jnz memory_wrong_sum
    ldi 19
    st rx_seek
    call memory_start
    ld memory_kind
    jnz flash_load
memory_load_octet:
    ld rx_octet
    st memory_octet
    call memory_count
    jnz memory_load_octet
    ret
memory_read_only:
    ld memory_id
    st failure_low
    ldi 37
    ret
memory_wrong_sum:
    ld crc
    st failure_low
    ldi 36
    ret

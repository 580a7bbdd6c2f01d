; SPDX-License-Identifier: Apache-2.0
; The SPI flash: commands as all parts of the 25 series have them.

.const flash_program 0x02
.const flash_read 0x03
.const flash_status 0x05
.const flash_write_enable 0x06
.const flash_erase_4k 0x20
.const flash_erase_64k 0xd8
.const flash_timeout 2500           ; ms; a block takes at most 2 s.
.const flash_absent 0xff            ; No part has all of these bits set.
.var flash_waited
.var flash_patience                 ; ms

; Waits until the flash is ready, but for none that is not there. A: 0, or the failure code. Does nothing for other memories.
flash_wait:
    ld memory_kind
    cpi 2
    jnz flash_ready
    ldi 0
    st flash_waited
flash_poll:
    st watchdog
    ldi 1
    st flash_select
    ldi flash_status
    st flash_octet
    ldi 0
    st flash_octet
    ld flash_octet
    st memory_octet_now
    ldi 0
    st flash_select
    ld memory_octet_now
    cpi flash_absent
    jz flash_silent
    ani 1
    jz flash_ready
    ld milliseconds
    st elapsed
    add flash_waited
    st flash_waited
    call timers_passed
    ld flash_patience
    cmp flash_waited
    jnc flash_poll
flash_silent:
    ld address_high
    st failure_high
    ld address_low
    st failure_low
    ldi 39
    ret
flash_ready:
    ldi 0
    ret

; A: 0, or the failure code where the area begins in the golden slot and the boot select pin does not open it.
; Does nothing for other memories.
flash_protected:
    ld memory_kind
    cpi 2
    jnz flash_ready
    ld boot_select
    jnz flash_ready
    ld address_high
    cpi golden_blocks
    jnc flash_ready
    st failure_high
    ld address_low
    st failure_low
    ldi 41
    ret

; Opens a reading command at the area. Does nothing for other memories.
flash_read_start:
    ld memory_kind
    cpi 2
    jnz flash_ready
    ldi 1
    st flash_select
    ldi flash_read
    jmp flash_address

; Sends the command in A with the address in place_high and place_low.
flash_address:
    st flash_octet
    ld place_high
    st flash_octet
    ld place_low
    swp
    st flash_octet
    ld place_low
    st flash_octet
    ret

flash_enable:
    ldi 1
    st flash_select
    ldi flash_write_enable
    st flash_octet
    ldi 0
    st flash_select
    ldi 1
    st flash_select
    ret

; Programs the area, page by page, from the command in hand.
flash_load:
    call flash_wait
    jnz flash_failed
    call flash_enable
    ldi flash_program
    call flash_address
flash_load_octet:
    ld rx_octet
    st flash_octet
    ld place_low
    adi 1
    st place_low
    jnc flash_load_count
    ld place_high
    adi 1
    st place_high
flash_load_count:
    call memory_count
    jz flash_load_end
    ld place_low
    ani 0xff
    jnz flash_load_octet
    st flash_select
    jmp flash_load
flash_load_end:
    st flash_select
    ldi 0
flash_failed:
    ret

; TC[6,128] erase: memory ID, N, address, length (32); whole sectors of 4,096 octets. Blocks of 65,536 where
; they fit. The last erasure has begun when the command is done; the next access waits for it.
flash_erase:
    call memory_open
    jnz flash_failed
    ld memory_kind
    cpi 2
    jnz memory_read_only
    ld rx_word
    st length_high
    ld rx_word
    st length_low
    ldi 1
    st is_long
    call memory_check
    jnz flash_failed
    ld address_high
    st failure_high
    ld address_low
    st failure_low
    ldw 0xfff
    and address_low
    jnz memory_misaligned
    ldw 0xfff
    and length_low
    jnz memory_length_misaligned
    call flash_protected
    jnz flash_failed
    ldi 0
    st failure_high
    st failure_low
    call memory_start
    ldw 0x1000
    st sector
flash_erase_next:
    call flash_wait
    jnz flash_failed
    call flash_enable
    ld left_high
    jz flash_erase_sector
    ld place_low
    jnz flash_erase_sector
    ldi flash_erase_64k
    call flash_address
    ldi 0
    st flash_select
    ld place_high
    adi 1
    st place_high
    ld left_high
    sbi 1
    st left_high
    jmp flash_erase_more
flash_erase_sector:
    ldi flash_erase_4k
    call flash_address
    ldi 0
    st flash_select
    ld place_low
    add sector
    st place_low
    jnc flash_erase_count
    ld place_high
    adi 1
    st place_high
flash_erase_count:
    ld left_low
    sub sector
    st left_low
    jnc flash_erase_more
    ld left_high
    sbi 1
    st left_high
flash_erase_more:
    ld left_high
    or left_low
    jnz flash_erase_next
    ret
.var sector                         ; 4,096: too much for an operand.

; SPDX-License-Identifier: Apache-2.0
; Housekeeping, service 3 (ECSS-E-ST-70-41C 6.3). The packetiser takes all values in one clock; its report is
; read octet by octet and its sum is checked on the way, so that an upset of it becomes a missing report.

.var housekeeping_off               ; No periodic reports.
.var interval_high                  ; Collection interval, ms.
.var interval_low
.var collected_high                 ; Time since the last periodic report, ms.
.var collected_low
.var reports_lost                   ; Due, but the line had no room.
.var reports_broken                 ; Not sent, because an upset had spoilt them.
.var octets_left

housekeeping_open:
    ldw housekeeping_interval_high
    st interval_high
    ldw housekeeping_interval_low
    st interval_low
    ret

housekeeping_timer:
    ld housekeeping_off
    jnz housekeeping_idle
    ld collected_low
    add elapsed
    st collected_low
    jnc housekeeping_compare
    ld collected_high
    adi 1
    st collected_high
housekeeping_compare:
    ld collected_high
    cmp interval_high
    jc housekeeping_idle
    sub interval_high
    jnz housekeeping_due
    ld collected_low
    cmp interval_low
    jc housekeeping_idle
housekeeping_due:
    ld collected_low
    sub interval_low
    st collected_low
    ldi 0                           ; Less than an interval is left, or the interval was just made shorter.
    st collected_high
    ld collected_low
    cmp interval_low
    jc housekeeping_periodic
    ldi 0
    st collected_low
housekeeping_periodic:
    call housekeeping_send
housekeeping_idle:
    ret

; Sends one report. A: 0 when it was sent.
housekeeping_send:
    ld tx_room
    cpi housekeeping_room
    jc housekeeping_lost
    st report_start
    ldi command_address
    st bus_address
    ldi 1                           ; The trigger is bit 16 of the command register.
    st bus_high
    ldi 0
    st bus_low
    ld bus_write
    ldi housekeeping_octets
    st tm_length
    ldw housekeeping_destination
    st tm_destination
    ldi message_3_25
    call tm_begin
    ldi tm_headers
    st octets_left
housekeeping_header:
    ld report_octet
    ld octets_left
    sbi 1
    st octets_left
    jnz housekeeping_header
    ldi housekeeping_octets
    st octets_left
housekeeping_octet:
    ld report_octet
    st tx_octet
    ld octets_left
    sbi 1
    st octets_left
    jnz housekeeping_octet
    ld report_octet
    ld report_octet
    ld report_end
    cpi 1
    jnz housekeeping_broken
    st tx_end
    ldi 0
    ret
housekeeping_lost:
    ld reports_lost
    adi 1
    st reports_lost
    ldi 67
    ret
housekeeping_broken:
    st tx_abort
    ld reports_broken
    adi 1
    st reports_broken
housekeeping_drain:
    ld report_octet
    ld report_end
    cpi 2
    jz housekeeping_drain
    ldi 68
    ret

; --- TC[3,5], [3,6], [3,27], [3,31]: N = 1, structure ID --------------------------------------------

housekeeping_enable:
    call housekeeping_structure
    jnz housekeeping_refused
    ldi 0
    st housekeeping_off
    st collected_high
    st collected_low
    ret
housekeeping_disable:
    call housekeeping_structure
    jnz housekeeping_refused
    ldi 1
    st housekeeping_off
    ldi 0
    ret
housekeeping_one_shot:
    call housekeeping_structure
    jnz housekeeping_refused
    jmp housekeeping_send
housekeeping_set_interval:
    call housekeeping_structure
    jnz housekeeping_refused
    ld rx_word
    st failure_high
    ld rx_word
    st failure_low
    cpi housekeeping_shortest
    jnc housekeeping_interval_fits
    ld failure_high
    jz housekeeping_out_of_range
housekeeping_interval_fits:
    ld failure_high
    st interval_high
    ld failure_low
    st interval_low
    ldi 0
    st failure_high
    st failure_low
    st collected_high
    st collected_low
housekeeping_refused:
    ret
housekeeping_out_of_range:
    ldi 66
    ret

; Reads N and the structure ID; 0 in A when they are ours, else the failure code.
housekeeping_structure:
    ld rx_octet
    st failure_low
    cpi 1
    jnz housekeeping_number
    ld rx_word
    st failure_low
    ldw housekeeping_structure_id
    cmp failure_low
    jnz housekeeping_unknown
    ldi 0
    st failure_low
    ret
housekeeping_number:
    ldi 65
    ret
housekeeping_unknown:
    ldi 64
    ret

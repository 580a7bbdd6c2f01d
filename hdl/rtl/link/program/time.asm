; SPDX-License-Identifier: Apache-2.0
; Time, service 9 (ECSS-E-ST-70-41C 6.9).

.var time_rate                      ; A time report every 2^time_rate s; 255: none.
.var time_left                      ; Seconds to the next.
.var time_reports                   ; Count of packets of APID 0.

; Once a second.
time_second:
    ld time_rate
    cpi 255
    jz time_done
    ld time_left
    jz time_report
    sbi 1
    st time_left
    jnz time_done

; TM[9,2]: APID 0, no secondary header (6.9.4.2): rate exponential value, time.
time_report:
    ld time_rate
    tax
    ldp powers
    st time_left
    ld tx_room
    cpi event_room
    jc time_done
    ldi 0
    st tx_word
    ldw 0xc000
    or time_reports
    st tx_word
    ld time_reports
    adi 1
    st time_reports
    ldw 0x3fff
    and time_reports
    st time_reports
    ldi 9                           ; Ten octets: rate, time, packet error control.
    st tx_word
    ld time_rate
    st tx_octet
    st time_latch
    call tm_time
    st tx_end
time_done:
    ret

; TC[9,1]: rate exponential value 0 to 8, or 255 for none.
time_set_rate:
    ld rx_octet
    st failure_low
    cpi 255
    jz time_rate_fits
    cpi 9
    jnc time_rate_wrong
time_rate_fits:
    st time_rate
    ldi 0
    st time_left
    st failure_low
    ret
time_rate_wrong:
    ldi 113
    ret

; TC[9,128]: P-field, seconds, fraction.
time_set_clock:
    ld rx_octet
    st failure_low
    cpi 0x2e
    jnz time_unknown
    ld rx_word
    st time_high
    ld rx_word
    st time_low
    ld rx_word
    st time_fine
    st time_set
    ldi 0
    st failure_low
    ret
time_unknown:
    ldi 112
    ret
powers:
    .word 1
    .word 2
    .word 4
    .word 8
    .word 16
    .word 32
    .word 64
    .word 128
    .word 256

; SPDX-License-Identifier: Apache-2.0
; Where the program starts, after every reset and when the watchdog bites, and its main loop.

; The words from repeats on survive a reset. Everything before them starts at zero.
boot:
    ldi 0
    tax
boot_clear:
    ldi 0
    stx 0
    txa
    adi 1
    tax
    cpi repeats
    jc boot_clear
    st tx_abort
    st rx_release                   ; A command in hand may be what went wrong.
    call log_open                   ; First: what it finds decides whether anything was kept.
    call housekeeping_open
    ldi time_report_rate
    st time_rate
    ldw flash_timeout
    st flash_patience
    ld corrected                    ; What was found before words had a value is no alarm.
    ld uncorrectable
    ld boot_select
    st event_high
    ld restart_cause
    st event_low
    ldi event_boot
    call event_raise
    call loader

main:
    st watchdog
    ld rx_available
    jz main_timers
    call command
main_timers:
    call timers
    call watch
    call alarms
    call patrol
    ld watch_row
    jnz main                        ; Rest only when each register has been looked at.
    ld wake
    jmp main

; Reads one word of the RAM and one of the program, and writes the former back: what a flipped bit has
; changed is put right on the way.
.var patrol_word
patrol:
    ld patrol_word
    cpi program_last
    jc patrol_next
    ldw 0xffff
patrol_next:
    adi 1
    st patrol_word
    tax
    ldp 0
    ld patrol_word
    ani 0x3ff
    tax
    ldx 0
    stx 0
    ret

; --- Time that passes -----------------------------------------------------------------------------

.var elapsed                        ; Milliseconds since the last round.
.var second_part                    ; Milliseconds of the running second.
.var is_silent                      ; The line is not ours: no report goes out by itself.
.var uptime_s                       ; Seconds since this program started, modulo 65,536.
timers:
    ld milliseconds
    jz timers_done
    st elapsed
timers_passed:
    ld elapsed
    add second_part
    st second_part
    cpi 1000
    jc timers_housekeeping
    sbi 1000
    st second_part
    ld uptime_s
    adi 1
    st uptime_s
    ld is_silent
    jnz timers_done
    call time_second
timers_housekeeping:
    ld is_silent
    jnz timers_done
    ld is_restart_due
    jz housekeeping_timer
    ld tx_idle
    jz housekeeping_timer
    ldw 0x6969
    st restart
    jmp housekeeping_timer
timers_done:
    ret

; --- Alarms of the link itself --------------------------------------------------------------------

; How often each happened; in the order of the ports.
.var line_errors_count
.var breaks_count
.var bad_frames_count
.var bad_lengths_count
.var no_room_count
.var corrected_count
.var uncorrectable_count
.const alarm_counts line_errors_count
.const alarm_number 7
.var alarm
.var alarm_new
alarms:
    ld alarms_pending
    jz alarms_done
    ldi 0
alarms_next:
    st alarm
    tax
    ldx line_errors
    jz alarms_skip
    st alarm_new
    ldx alarm_counts
    add alarm_new
    jnc alarms_store
    ldw 0xffff
alarms_store:
    stx alarm_counts
    st event_low
    ld alarm
    st event_high                   ; Which cause.
    ldp alarm_events
    call event_raise
alarms_skip:
    ld alarm
    adi 1
    cpi alarm_number
    jc alarms_next
alarms_done:
    ret

; SPDX-License-Identifier: Apache-2.0
; Event reporting, service 5 (ECSS-E-ST-70-41C 6.5), and the log of the last 64 events.

.var event_number
.var event_high                     ; Data of the event, 32 bits.
.var event_low
.var event_seconds event_count      ; When each was last reported: twice the uptime and one, so that 0 is never.
.var event_state event_count        ; {is disabled, how often it was withheld}

; Logs an event and reports it. A: its number; event_high, event_low. The same event comes at most once a
; second, counted when it is withheld.
event_raise:
    st event_number
    tax
    ld uptime_s
    shl
    adi 1
    st event_scratch                ; Now.
    ldx event_seconds
    cmp event_scratch
    jz event_withhold
    adi 2                           ; The second after it was reported.
    cmp event_scratch
    jnz event_due
event_withhold:
    ldx event_state
    adi 1
    st event_scratch
    shl
    jz event_full
    ld event_scratch
    stx event_state
event_full:
    ret
event_due:
    ld event_scratch
    stx event_seconds
    call log_append
    ld event_number
    tax
    ldx event_state
    shl
    jc event_done                   ; Disabled.
    ld tx_room
    cpi event_room
    jc event_no_room
    ldi 6
    st tm_length
    ldi 0
    st tm_destination
    txa
    shl
    tax
    ldp events_message
    call tm_begin
    ld event_number
    shl
    tax
    ldp events
    st tx_word
    ld event_high
    st tx_word
    ld event_low
    st tx_word
    st tx_end
event_done:
    ret
event_no_room:
    ld events_unsent
    adi 1
    st events_unsent
    ret
.var event_scratch
.var events_unsent                  ; Logged, but the line had no room.
.const events_message events+1

; TC[5,5] enables, TC[5,6] disables: N, event ID x N.
events_enable:
    ldi 0
    jmp events_switch
events_disable:
    ldw 0x8000
events_switch:
    st event_flag
    ld rx_octet
    st list_length
    st failure_low
    jz events_bad_number
    cpi 17
    jnc events_bad_number
    ld list_length                  ; All are known before the first is switched.
    st list_left
events_check:
    ld rx_word
    st failure_low
    call events_find
    jnz events_unknown
    ld list_left
    sbi 1
    st list_left
    jnz events_check
    ldi 12
    st rx_seek
events_write:
    ld rx_word
    call events_find
    ld event_number
    tax
    ldx event_state
    shl
    shr
    or event_flag
    stx event_state
    ld list_length
    sbi 1
    st list_length
    jnz events_write
    ldi 0
    st failure_low
    ret
events_bad_number:
    ldi 81
    ret
events_unknown:
    ldi 80
    ret
.var event_flag
.var list_length
.var list_left
.var event_wanted

; Finds the number of the event with the ID in A; not zero in A when there is none.
events_find:
    st event_wanted
    ldi 0
    st event_number
    tax
events_find_next:
    ldp events
    cmp event_wanted
    jz events_found
    txa
    adi 2
    tax
    ld event_number
    adi 1
    st event_number
    cpi event_count
    jc events_find_next
    ldi 1
    ret
events_found:
    ldi 0
    ret

; --- The log --------------------------------------------------------------------------------------

; 64 records of 6 words in the RAM: event ID, seconds (2), fraction, data (2); log_next is the offset of the
; oldest. It survives resets: log_magic tells that there is one.
.const log_words 384
.const log_record 6
.const log_magic_value 0x5a3c
log_open:
    ldw log_magic_value
    cmp log_magic
    jz log_valid
    ldi 0
    tax
log_clear:
    ldi 0
    stx repeats
    txa
    adi 1
    tax
    cpi kept_words
    jc log_clear
    ldw log_magic_value
    st log_magic
log_valid:
    ld log_next
    cpi log_words
    jc log_repeats
    ldi 0
    st log_next
log_repeats:
    ld repeat_next
    cpi repeat_size
    jc log_ready
    ldi 0
    st repeat_next
log_ready:
    ret

log_append:
    ld event_number
    shl
    tax
    ldp events
    st event_scratch
    st time_latch
    ld log_next
    tax
    ld event_scratch
    stx log
    ld time_high
    stx log_seconds_high
    ld time_low
    stx log_seconds_low
    ld time_fine
    stx log_fraction
    ld event_high
    stx log_data_high
    ld event_low
    stx log_data_low
    txa
    adi log_record
    cpi log_words
    jc log_store
    ldi 0
log_store:
    st log_next
    ret
.const log_seconds_high log+1
.const log_seconds_low log+2
.const log_fraction log+3
.const log_data_high log+4
.const log_data_low log+5

; --- Registers that are watched -------------------------------------------------------------------

; One row of the table in each round: when the masked value has changed and is not zero, its event is raised
; with the value of the whole register.
.var watch_row                      ; Number of the row.
.var watch_offset                   ; Its offset in the table.
.var watch_high                     ; The masked value.
.var watch_low
.var watch_last_high watch_count
.var watch_last_low watch_count
.const watches_mask_high watches+1
.const watches_mask_low watches+2
.const watches_event watches+3
.const watch_words 4
watch:
    ld watch_offset
    tax
    ldp watches
    st bus_address
    ldp watches_mask_high
    st watch_high
    ldp watches_mask_low
    st watch_low
    ld bus_read
    ld bus_high
    st event_high
    and watch_high
    st watch_high
    ld bus_low
    st event_low
    and watch_low
    st watch_low
    ld watch_row
    tax
    ldx watch_last_high
    cmp watch_high
    jnz watch_changed
    ldx watch_last_low
    cmp watch_low
    jz watch_next
watch_changed:
    ld watch_high
    stx watch_last_high
    ld watch_low
    stx watch_last_low
    or watch_high
    jz watch_next
    ld watch_offset
    tax
    ldp watches_event
    call event_raise
watch_next:
    ld watch_offset
    adi watch_words
    st watch_offset
    ld watch_row
    adi 1
    st watch_row
    cpi watch_count
    jc watch_done
    ldi 0
    st watch_row
    st watch_offset
watch_done:
    ret

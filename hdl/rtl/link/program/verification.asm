; SPDX-License-Identifier: Apache-2.0
; Request verification, service 1 (ECSS-E-ST-70-41C 6.1).

.var report_ack
.var report_message

; Sends a success report if the command asked for it. A: number of the message, report_ack: its flag.
report_success:
    st report_message
    ld report_ack
    and ack
    jz report_done
    ldi 4
    st tm_length
    ld report_message
    call tm_answer
    call report_request
    st tx_end
report_done:
    ret

; Sends a failure report. A: number of the message; failure_code, failure_high, failure_low.
report_failure:
    st report_message
    ldi 10
    st tm_length
    ld report_message
    call tm_answer
    call report_request
    ld failure_code
    st tx_word
    ld failure_high
    st tx_word
    ld failure_low
    st tx_word
    st tx_end
    ret

; Sends the request ID (6.1.4): packet ID and sequence control of the command.
report_request:
    ld packet_id
    st tx_word
    ld packet_sequence
    st tx_word
    ret

; --- Repeated commands ----------------------------------------------------------------------------

; What came last and how it ended: sequence control, packet error control, code, value (2). A command is a
; repeat if both sequence control and packet error control are equal: another client that counts from
; anew differs in what it asks or in its source ID. They survive a reset, so that one asked for by a command
; is not asked for twice.
.const repeat_words 5
.const repeat_size 80               ; 16 of them, at repeats; repeat_next is the offset of the oldest.
.var is_repeat

; Looks for the command in hand; sets is_repeat, and with it the outcome of back then. A command that only
; reads is never a repeat: it is carried out again, so that its answer comes again.
repeat_find:
    ldi 0
    st is_repeat
    ld row
    tax
    ldp services_reading
    jnz repeat_none
    ldi 0
    tax
repeat_compare:
    ldx repeats
    cmp packet_sequence
    jnz repeat_other
    ldx repeats_check
    cmp packet_error_control
    jnz repeat_other
    ldx repeats_code
    st failure_code
    ldx repeats_high
    st failure_high
    ldx repeats_low
    st failure_low
    ldi 1
    st is_repeat
    ld repeated_commands
    adi 1
    st repeated_commands
    ret
repeat_other:
    txa
    adi repeat_words
    tax
    cpi repeat_size
    jc repeat_compare
repeat_none:
    ret

; Keeps the command in hand and its outcome.
repeat_keep:
    ld row
    tax
    ldp services_reading
    jnz repeat_none
    ld repeat_next
    tax
    ld packet_sequence
    stx repeats
    ld packet_error_control
    stx repeats_check
    ld failure_code
    stx repeats_code
    ld failure_high
    stx repeats_high
    ld failure_low
    stx repeats_low
    txa
    adi repeat_words
    cpi repeat_size
    jc repeat_store
    ldi 0
repeat_store:
    st repeat_next
    ret
.const repeats_check repeats+1
.const repeats_code repeats+2
.const repeats_high repeats+3
.const repeats_low repeats+4

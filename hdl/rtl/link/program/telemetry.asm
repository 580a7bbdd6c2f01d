; SPDX-License-Identifier: Apache-2.0
; Telemetry packets: CCSDS 133.0-B 4.1, ECSS-E-ST-70-41C 7.4.3.1.

.var sequence_count                 ; Of the next packet of our APID.
.var tm_destination
.var tm_length                      ; Octets of source data.
.var tm_type
.var tm_counter
.var message_counters message_count ; One for each (service, subtype).

; Sends the headers of an answer to the command in hand, as tm_begin does.
tm_answer:
    st tm_message
    ld source_id
    st tm_destination
    ld tm_message
    jmp tm_begin
.var tm_message

; Sends the headers of a packet. A: number of the message, tm_length, tm_destination. The caller sends
; tm_length octets and then writes tx_end.
tm_begin:
    tax
    ldp message_types
    st tm_type
    ldx message_counters
    st tm_counter
    adi 1
    stx message_counters
    ldw tm_packet_id
    st tx_word
    ldw 0xc000                      ; Unsegmented.
    or sequence_count
    st tx_word
    ld sequence_count
    adi 1
    st sequence_count
    ldw 0x3fff
    and sequence_count
    st sequence_count
    ld tm_length
    adi tm_overhead
    st tx_word
    ldi 0x20                        ; PUS-C, time not synchronised.
    st tx_octet
    ld tm_type
    st tx_word
    ld tm_counter
    st tx_word
    ld tm_destination
    st tx_word
    st time_latch
; Sends the latched time as CUC with its P-field.
tm_time:
    ldi 0x2e
    st tx_octet
    ld time_high
    st tx_word
    ld time_low
    st tx_word
    ld time_fine
    st tx_word
    ret

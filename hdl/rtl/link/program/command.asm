; SPDX-License-Identifier: Apache-2.0
; Telecommands: routing and acceptance (ECSS-E-ST-70-41C 5.3.5, 6.1), execution by the row of the table.

.var packet_id
.var packet_sequence
.var source_id                      ; Whose command it is; 0 when it is too short to tell.
.var packet_length                  ; Octets of the whole packet.
.var packet_error_control
.var ack                            ; 8 acceptance, 4 start, 2 progress, 1 completion.
.var command_type                   ; {service, subtype}
.var is_service_known
.var row                            ; Offset of the command's row in the table.
.var failure_code
.var failure_high                   ; The offending value.
.var failure_low
.var taken_packets
.var bad_checks
.var wrong_packets                  ; Neither routed nor accepted.
.var done_commands                  ; Carried out, well or not.
.var repeated_commands              ; Answered again without being carried out.

command:
    ld rx_take
    jz command_damaged
    ld taken_packets
    adi 1
    st taken_packets
    ld rx_length
    st packet_length
    ldi 0
    st failure_code
    st failure_high
    st failure_low
    st is_service_known
    st source_id
    st rx_seek
    ld rx_word
    st packet_id
    ld rx_word
    st packet_sequence
    ld packet_length
    cpi tc_overhead
    jc command_route                ; Too short to tell whose it is.
    ldi 9
    st rx_seek
    ld rx_word
    st source_id
command_route:
    ldw tc_packet_id
    cmp packet_id
    jnz command_not_ours
    ld packet_sequence
    swp
    ani 0xc0
    cpi 0xc0
    jnz command_segmented
    ld packet_length
    cpi tc_overhead
    jc command_length
    ldi 6
    st rx_seek
    ld rx_octet
    st ack
    shr
    shr
    shr
    shr
    cpi 2
    jnz command_version
    ld ack
    ani 15
    st ack
    ld rx_word
    st command_type
    ldi 0
    tax
command_search:
    ldp services
    jz command_unknown
    xor command_type
    jz command_found
    swp
    ani 0xff
    jnz command_other
    ldi 1
    st is_service_known
command_other:
    txa
    adi row_words
    tax
    jmp command_search
command_found:
    txa
    st row
    ldp services_head
    st row_length
    ldp services_item
    st row_item
    jz command_measure
    ld packet_length
    cmp row_length
    jc command_length               ; Too short to hold the number of items.
    ldp services_count
    st rx_seek
    ld rx_octet
    st row_items
    jz command_measure
    ldp services_has_data
    jz command_items
    ld row_items
    cpi 1
    jnz command_accept              ; Whatever its length: it fails for the number of areas.
    ldi 17
    st rx_seek
    ld rx_word
    adi 2                           ; Its sum.
    jc command_length
    add row_length
    st row_length
    jc command_length
command_items:
    ld row_length
    add row_item
    st row_length
    ld row_items
    sbi 1
    st row_items
    jnz command_items
command_measure:
    ld row_length
    cmp packet_length
    jnz command_length

; --- Accepted -------------------------------------------------------------------------------------

command_accept:
    ld packet_length
    sbi 2
    st rx_seek
    ld rx_word
    st packet_error_control
    ldi 8
    st report_ack
    ldi message_1_1
    call report_success
    ldi 4
    st report_ack
    ldi message_1_3
    call report_success
    call repeat_find
    ld is_repeat
    jnz command_finish
    ldi 11
    st rx_seek
    call command_carry_out
    st failure_code
    ld done_commands
    adi 1
    st done_commands
    call repeat_keep
command_finish:
    ld failure_code
    jnz command_failed
    ldi 1
    st report_ack
    ldi message_1_7
    call report_success
    st rx_release
    ret
command_failed:
    ldi message_1_8
    call report_failure
    st rx_release
    ret

; Goes on in the routine of the row, which returns with the failure code in A, 0 when it is done.
command_carry_out:
    ld row
    tax
    ldp services_routine
    jma

.var row_length                     ; Octets that the packet has to have.
.var row_item
.var row_items

; --- Refused --------------------------------------------------------------------------------------

command_damaged:
    ld bad_checks
    adi 1
    st bad_checks
    st event_low
    ldi alarm_number
    st event_high
    st rx_release
    ldi event_frame_dropped
    jmp event_raise
command_not_ours:
    ldw 0x07ff
    and packet_id
    st failure_low
    ldi 1
    st failure_code
    ldi message_1_10
    jmp command_refuse
command_segmented:
    ld packet_sequence
    swp
    shr
    shr
    shr
    shr
    shr
    shr
    ani 3
    st failure_low
    ldi 5
    jmp command_refuse_2
command_version:
    ld ack
    shr
    shr
    shr
    shr
    st failure_low
    ldi 4
    jmp command_refuse_2
command_length:
    ld packet_length
    st failure_low
    ldi 3
    jmp command_refuse_2
command_unknown:
    ldi 0xff
    and command_type
    st failure_low
    ld is_service_known
    jnz command_unknown_subtype
    ld command_type
    swp
    ani 0xff
    st failure_low
    ldi 1
    jmp command_refuse_2
command_unknown_subtype:
    ldi 2
command_refuse_2:
    st failure_code
    ldi message_1_2
command_refuse:
    call report_failure
    ld wrong_packets
    adi 1
    st wrong_packets
    st rx_release
    ret

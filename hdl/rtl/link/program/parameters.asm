; SPDX-License-Identifier: Apache-2.0
; Parameter management, service 20 (ECSS-E-ST-70-41C 6.20), and functions, service 8.
;
; A parameter is a register, by its word address; from 0x8000 on a word of the engine's RAM, and from 0xc000
; on a quarter of the build identity, and from 0xc004 on of the digest of the gateware.

.var parameter_id
.var parameter_high
.var parameter_low
.var parameter_mask_high            ; Bits that may be written.
.var parameter_mask_low

; Reads parameter_id. A: 0, or the failure code; the value is in parameter_high and parameter_low.
parameter_get:
    ldi 0
    st parameter_high
    ld parameter_id
    shl
    jc parameter_internal
    shl
    jc parameter_unknown
    ld parameter_id
    st bus_address
    ld bus_read
    jnz parameter_unknown
    ld bus_high
    st parameter_high
    ld bus_low
    st parameter_low
    ldi 0
    ret
parameter_internal:
    shl
    jc parameter_program
    ldw 0x3c00
    and parameter_id
    jnz parameter_unknown
    ldw 0x3ff
    and parameter_id
    tax
    ldx 0
    st parameter_low
    ldi 0
    ret
parameter_program:
    ldw 0x3ff8
    and parameter_id
    jnz parameter_unknown
    ld parameter_id
    ani 3
    tax
    ld parameter_id
    ani 4
    jnz parameter_digest
    ldx build
    jmp parameter_word
parameter_digest:
    ldp rtl_digest
parameter_word:
    st parameter_low
    ldi 0
    ret
parameter_unknown:
    ld parameter_id
    st failure_low
    ldi 48
    ret

; TC[20,1] report: N, parameter ID x N -> TM[20,2].
parameters_report:
    ld rx_octet
    st list_length
    st failure_low
    jz parameters_number
    cpi 33
    jnc parameters_number
    ld list_length
    st list_left
parameters_check:
    ld rx_word
    st parameter_id
    call parameter_get
    jnz parameters_end
    ld list_left
    sbi 1
    st list_left
    jnz parameters_check
    ldi 0
    st failure_low
    ld list_length                  ; 1 + 6 N octets.
    shl
    add list_length
    shl
    adi 1
    st tm_length
    ldi message_20_2
    call tm_answer
    ldi 12
    st rx_seek
    ld list_length
    st tx_octet
parameters_send:
    ld rx_word
    st parameter_id
    st tx_word
    call parameter_get
    ld parameter_high
    st tx_word
    ld parameter_low
    st tx_word
    ld list_length
    sbi 1
    st list_length
    jnz parameters_send
parameters_sent:
    st tx_end
    ldi 0
parameters_end:
    ret
parameters_number:
    ldi 51
    ret

; TC[20,3] set: N, (parameter ID, value) x N.
parameters_set:
    ld rx_octet
    st list_length
    st failure_low
    jz parameters_number
    cpi 33
    jnc parameters_number
    ld list_length
    st list_left
parameters_try:
    call parameter_check
    jnz parameters_end
    ld list_left
    sbi 1
    st list_left
    jnz parameters_try
    ldi 12
    st rx_seek
parameters_write:
    ld rx_word
    st bus_address
    ld rx_word
    st bus_high
    ld rx_word
    st bus_low
    ld bus_write
    ld list_length
    sbi 1
    st list_length
    jnz parameters_write
    ldi 0
    st failure_low
    ret

; Reads an ID and its value off the packet; A: 0 if it may be written, else the failure code.
parameter_check:
    ld rx_word
    st parameter_id
    ld rx_word
    st parameter_high
    ld rx_word
    st parameter_low
parameter_allowed:
    ld parameter_id
    st failure_low
    ldi 0
    tax
parameter_search:
    ldp writable
    jz parameter_not_writable
    cmp parameter_id
    jz parameter_found
    txa
    adi 3
    tax
    jmp parameter_search
parameter_found:
    ldp writable_not_high           ; Bits that have to stay zero.
    st parameter_mask_high
    ldp writable_not_low
    st parameter_mask_low
    ld parameter_high
    st failure_high
    ld parameter_low
    st failure_low
    and parameter_mask_low
    jnz parameter_value
    ld parameter_high
    and parameter_mask_high
    jnz parameter_value
    ldi 0
    st failure_high
    st failure_low
    ret
parameter_value:
    ldi 50
    ret
parameter_not_writable:
    call parameter_get
    jnz parameters_end
    ldi 49
    ret
.const writable_not_high writable+1
.const writable_not_low writable+2

; --- TC[8,1]: function ID -------------------------------------------------------------------------

.var function_id
.var functions_done
functions_perform:
    ld rx_word
    st function_id
    st failure_low
    ldi 0
    st bus_high
    ldi control_address
    st bus_address
    ld function_id
    cpi 1
    jz function_power_up
    cpi 2
    jz function_power_down
    ldi command_address
    st bus_address
    ld function_id
    cpi 3
    jz function_clear_faults
    cpi 4
    jz function_clear_counters
    cpi 5
    jz function_restart
    ldi 96
    ret
function_power_up:
    ldi 6
    jmp function_power
function_power_down:
    ldi 9
function_power:
    st parameter_low                ; The code word of the flag.
    ld bus_read
    ld bus_low
    ani 0x7f0
    or parameter_low
    jmp function_write
function_clear_faults:
    ldi 6
    jmp function_write
function_clear_counters:
    ldi 0x10
function_write:
    st bus_low
    ld bus_write
function_done:
    ldi 0
    st failure_low
    ld functions_done
    adi 1
    st functions_done
    ldi 0
    ret
; The reports go out first: the payload starts anew when the line has sent them.
function_restart:
    ldi 1
    st is_restart_due
    jmp function_done
.var is_restart_due

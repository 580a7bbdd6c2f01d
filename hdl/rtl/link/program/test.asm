; SPDX-License-Identifier: Apache-2.0
; Test, service 17 (ECSS-E-ST-70-41C 6.17).

; TC[17,1] are you alive: TM[17,2].
test_are_you_alive:
    ldi 0
    st tm_length
    ldi message_17_2
    call tm_answer
    st tx_end
    ldi 0
    ret

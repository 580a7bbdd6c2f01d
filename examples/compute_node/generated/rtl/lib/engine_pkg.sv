// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The instructions of the engine and the ports that its program sees. The assembler reads both from here.

package engine_pkg;

  localparam int unsigned ProgramBits = 12;  // Of an address in the program, and of an operand.
  localparam int unsigned InstructionBits = 5 + ProgramBits;  // A word of the program; of data it uses 16.
  localparam int unsigned AddressBits = 11;  // Of a word: RAM below, ports above.
  localparam int unsigned RamAddressBits = 10;

  // {instruction, operand k}. A: accumulator, X: index, M[k]: a word of the RAM or a port, Z: zero, C: carry or borrow.
  typedef enum logic [4:0] {
    Ld  = 5'd0,   // A = M[k]
    Ldi = 5'd1,   // A = k
    Add = 5'd2,   // A = A + M[k]
    Adi = 5'd3,   // A = A + k
    Sub = 5'd4,   // A = A - M[k]
    Sbi = 5'd5,   // A = A - k
    Cmp = 5'd6,   // Z and C of A - M[k]
    Cpi = 5'd7,   // Z and C of A - k
    And = 5'd8,   // A = A & M[k]
    Ani = 5'd9,   // A = A & k
    Or  = 5'd10,  // A = A | M[k]
    Ori = 5'd11,  // A = A | k
    Xor = 5'd12,  // A = A ^ M[k]
    Xri = 5'd13,  // A = A ^ k
    Ldx = 5'd14,  // A = M[k + X]
    Stx = 5'd15,  // M[k + X] = A
    St  = 5'd16,  // M[k] = A
    Lui = 5'd17,  // A = {k[7:0], A[7:0]}
    Jmp = 5'd18,  // Go to k
    Jz  = 5'd19,  // Go to k if Z
    Jnz = 5'd20,  // Go to k if not Z
    Jc  = 5'd21,  // Go to k if C
    Jnc = 5'd22,  // Go to k if not C
    Call = 5'd23,  // Go to k; the next instruction's address goes on the stack of eight
    Ret = 5'd24,  // Go to the address on the stack
    Jma = 5'd25,  // Go to A
    Tax = 5'd26,  // X = A
    Txa = 5'd27,  // A = X
    Shl = 5'd28,  // {C, A} = {A, 0}
    Shr = 5'd29,  // {A, C} = {0, A}
    Swp = 5'd30,  // A = {A[7:0], A[15:8]}
    Ldp = 5'd31   // A = program[k + X]
  } instruction_e;

  // Ports. r: read, w: written; an access waits until it can be done.
  localparam logic [10:0] PortRxTake = 11'h400;  // r: takes up the next packet. 1: good, 0: none, or its check is wrong.
  localparam logic [10:0] PortRxAvailable = 11'h401;  // r: 1 while a packet waits or is in hand.
  localparam logic [10:0] PortRxSeek = 11'h402;  // w: reads on from this octet of the packet.
  localparam logic [10:0] PortRxOctet = 11'h403;  // r: the next octet.
  localparam logic [10:0] PortRxWord = 11'h404;  // r: the next two octets.
  localparam logic [10:0] PortRxLength = 11'h405;  // r: octets of the packet.
  localparam logic [10:0] PortRxRelease = 11'h406;  // w: done with the packet.
  localparam logic [10:0] PortRxRaw = 11'h407;  // w: 1 hands on the line's own octets, one by one; 0 ends it. Empties the ring.
  localparam logic [10:0] PortTxOctet = 11'h408;  // w: the next octet of a packet.
  localparam logic [10:0] PortTxWord = 11'h409;  // w: the next two.
  localparam logic [10:0] PortTxEnd = 11'h40a;  // w: appends the packet error control and sends.
  localparam logic [10:0] PortTxAbort = 11'h40b;  // w: forgets the packet.
  localparam logic [10:0] PortTxRoom = 11'h40c;  // r: octets that fit in.
  localparam logic [10:0] PortTxIdle = 11'h40d;  // r: 1 when the line has everything.
  localparam logic [10:0] PortTxRaw = 11'h40e;  // w: sends an octet in no frame, when the line has everything else.
  localparam logic [10:0] PortTimeLatch = 11'h410;  // w: takes the time of now into the next three.
  localparam logic [10:0] PortTimeHigh = 11'h411;  // rw: seconds, upper half.
  localparam logic [10:0] PortTimeLow = 11'h412;  // rw: seconds, lower half.
  localparam logic [10:0] PortTimeFine = 11'h413;  // rw: 2^-16 s.
  localparam logic [10:0] PortTimeSet = 11'h414;  // w: sets the time from the three.
  localparam logic [10:0] PortMilliseconds = 11'h415;  // r: milliseconds since it was read, at most 255.
  localparam logic [10:0] PortWake = 11'h416;  // r: waits for a packet, a millisecond or an alarm to take up.
  localparam logic [10:0] PortBusAddress = 11'h418;  // w: word address of a register.
  localparam logic [10:0] PortBusHigh = 11'h419;  // rw: its upper half.
  localparam logic [10:0] PortBusLow = 11'h41a;  // rw: its lower half.
  localparam logic [10:0] PortBusRead = 11'h41b;  // r: reads the register into the two. 1: the bus refused.
  localparam logic [10:0] PortBusWrite = 11'h41c;  // r: writes the two to the register. 1: the bus refused.
  localparam logic [10:0] PortCrcStart = 11'h420;  // w: starts both sums.
  localparam logic [10:0] PortCrcOctet = 11'h421;  // w: takes an octet into both sums.
  localparam logic [10:0] PortCrc = 11'h422;  // r: CRC-16 as in packet_error_control.
  localparam logic [10:0] PortCrc32High = 11'h437;  // r: CRC-32, upper half.
  localparam logic [10:0] PortCrc32Low = 11'h438;  // r: its lower half.
  localparam logic [10:0] PortMemorySelect = 11'h43a;  // w: the memory, by its ID.
  localparam logic [10:0] PortMemoryHigh = 11'h43b;  // w: octet address, upper half.
  localparam logic [10:0] PortMemoryLow = 11'h43c;  // w: its lower half.
  localparam logic [10:0] PortMemoryOctet = 11'h43d;  // rw: the next octet.
  localparam logic [10:0] PortMemoryBroken = 11'h43e;  // r: 1 if an uncorrectable word was read since the select.
  localparam logic [10:0] PortFlashSelect = 11'h440;  // w: 1 selects the flash, 0 ends its command.
  localparam logic [10:0] PortFlashOctet = 11'h441;  // w: sends an octet; r: what came in meanwhile.
  localparam logic [10:0] PortFlashSum = 11'h443;  // w: reads so many octets into both sums, at most 256; ends when the next access to the flash does.
  localparam logic [10:0] PortBootSelect = 11'h442;  // r: the pin.
  localparam logic [10:0] PortWarmBoot = 11'h444;  // r: a bit for each slot whose bitstream the FPGA can be made to load; w: {11'h52d, is asked for, slot}.
  localparam logic [10:0] PortReportStart = 11'h424;  // w: before a housekeeping report is triggered.
  localparam logic [10:0] PortReportOctet = 11'h425;  // r: its next octet, 0 behind the last.
  localparam logic [10:0] PortReportEnd = 11'h426;  // r: 1 if all was read, no more, and its sum is right; 2: there is more.
  localparam logic [10:0] PortWatchdog = 11'h428;  // w: the program is alive.
  localparam logic [10:0] PortRestartCause = 11'h429;  // r: 0 power-on or reset pin, 1 warm reset, 2 watchdog of the program.
  localparam logic [10:0] PortRestart = 11'h42a;  // w: 16'h6969 starts the payload anew.
  localparam logic [10:0] PortBuild = 11'h42b;  // r: build identity, and the next three; the upper end first.
  localparam logic [10:0] PortAlarmsPending = 11'h42f;  // r: 1 if any of the next seven is not zero.
  localparam logic [10:0] PortLineErrors = 11'h430;  // r, as the next six: how many since it was read, at most 255.
  localparam logic [10:0] PortBreaks = 11'h431;
  localparam logic [10:0] PortBadFrames = 11'h432;
  localparam logic [10:0] PortBadLengths = 11'h433;
  localparam logic [10:0] PortNoRoom = 11'h434;
  localparam logic [10:0] PortCorrected = 11'h435;
  localparam logic [10:0] PortUncorrectable = 11'h436;

endpackage

// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The processor of the link: one accumulator, one index, 16 bits. An instruction takes two clocks, and one more
// where it reads a word. See engine_pkg for what there is.
//
// Program and RAM answer one clock after their address. An access to a port takes as many clocks as the port asks for.
//
// Upsets: with Triplicate every bit of state is voted and heals in the next clock, which upset_o tells. Without, a flip
// may let the program go astray; the watchdog starts it anew. An unused stage code leads back to Fetch.
//
// SEU_MIT: ENGINE.STATE.TMR

module engine_core
  import engine_pkg::*;
#(
    parameter bit Triplicate = 1'b0
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       restart_i,          // Start the program anew.
    output logic [    ProgramBits-1:0] program_address_o,
    input  logic [InstructionBits-1:0] program_word_i,
    output logic [ RamAddressBits-1:0] ram_address_o,
    output logic                       ram_read_o,         // The word is used in this clock.
    output logic                       ram_write_o,
    input  logic [               15:0] ram_word_i,
    output logic [    AddressBits-1:0] port_address_o,
    output logic                       port_read_o,        // Held until port_ready_i, as the next.
    output logic                       port_write_o,
    input  logic                       port_ready_i,
    input  logic [               15:0] port_word_i,
    output logic [               15:0] word_o,             // To RAM or port.
    output logic                       upset_o
);

  localparam int unsigned StackDepth = 8;

  typedef enum logic [2:0] {
    Fetch   = 3'd0,  // The program's word is on its way.
    Decode  = 3'd1,  // It is there and is kept; the address goes to the RAM.
    Operand = 3'd2,  // The word of RAM or port is there and is kept, where the instruction reads one.
    Execute = 3'd3,
    Load    = 3'd4   // A word of the program is there as data.
  } stage_e;

  typedef struct packed {
    stage_e stage;
    logic [ProgramBits-1:0] pc;
    logic [4:0] instruction;
    logic [15:0] operand;  // Its address, index included, or what it carries; then the word at that address.
    logic [15:0] accumulator;
    logic [ProgramBits-1:0] index;
    logic zero;
    logic carry;
    logic [StackDepth-1:0][ProgramBits-1:0] calls;
  } state_t;

  localparam int unsigned StateBits = $bits(state_t);

  state_t state_q, state_d;
  logic [StateBits-1:0] state_bits;

  assign state_q = state_t'(state_bits);

  tmr_reg #(
      .Width     (StateBits),
      .Triplicate(Triplicate)
  ) u_state (
      .clk_i,
      .rst_ni,
      .write_i  (1'b1),
      .d_i      (state_d),
      .witness_i('0),
      .q_o      (state_bits),
      .upset_o
  );

  // --- The instruction --------------------------------------------------------------------------

  instruction_e fetched, instruction;
  logic [ProgramBits-1:0] fetched_k, k, next_pc;
  logic is_indexed, is_store, is_port, is_read, is_result, is_waiting;
  logic [15:0] operand;
  logic [16:0] sum, difference;

  assign fetched     = instruction_e'(program_word_i[InstructionBits-1:ProgramBits]);
  assign is_indexed  = fetched inside {Ldx, Stx, Ldp};
  assign fetched_k   = program_word_i[ProgramBits-1:0] + (is_indexed ? state_q.index : '0);
  assign instruction = instruction_e'(state_q.instruction);
  assign operand     = state_q.operand;
  assign k           = operand[ProgramBits-1:0];
  assign is_store    = instruction inside {St, Stx};
  assign is_read     = fetched inside {Ld, Add, Sub, Cmp, And, Or, Xor, Ldx};
  assign is_result   = instruction <= Ldx || instruction inside {Lui, Txa, Shl, Shr, Swp};
  assign is_port     = k[AddressBits-1];
  assign next_pc     = state_q.pc + 1'b1;
  assign sum         = {1'b0, state_q.accumulator} + {1'b0, operand};
  assign difference  = {1'b0, state_q.accumulator} - {1'b0, operand};

  assign ram_address_o  = state_q.stage == Decode ? fetched_k[RamAddressBits-1:0] : k[RamAddressBits-1:0];
  assign ram_read_o     = state_q.stage == Operand && !is_port;
  assign ram_write_o    = state_q.stage == Execute && is_store && !is_port;
  assign port_address_o = k[AddressBits-1:0];
  assign port_read_o    = state_q.stage == Operand && is_port;
  assign port_write_o   = state_q.stage == Execute && is_store && is_port;
  assign is_waiting     = (port_read_o || port_write_o) && !port_ready_i;
  assign word_o         = state_q.accumulator;

  // --- What it does -----------------------------------------------------------------------------

  always_comb begin
    state_d           = state_q;
    program_address_o = state_q.pc;
    unique case (state_q.stage)
      Fetch:  state_d.stage = Decode;
      Decode: begin
        state_d.stage       = is_read ? Operand : Execute;
        state_d.instruction = fetched;
        state_d.operand     = 16'(fetched_k);
      end
      Operand: begin
        if (!is_waiting) begin
          state_d.stage   = Execute;
          state_d.operand = is_port ? port_word_i : ram_word_i;
        end
      end
      Execute: begin
        if (!is_waiting) begin
          state_d.stage = Decode;
          state_d.pc    = next_pc;
          unique case (instruction)
            Ld, Ldi, Ldx: state_d.accumulator = operand;
            Add, Adi:     {state_d.carry, state_d.accumulator} = sum;
            Sub, Sbi:     {state_d.carry, state_d.accumulator} = difference;
            Cmp, Cpi:     state_d.carry = difference[16];
            And, Ani:     state_d.accumulator = state_q.accumulator & operand;
            Or, Ori:      state_d.accumulator = state_q.accumulator | operand;
            Xor, Xri:     state_d.accumulator = state_q.accumulator ^ operand;
            Lui:          state_d.accumulator[15:8] = k[7:0];
            Shl:          {state_d.carry, state_d.accumulator} = {state_q.accumulator, 1'b0};
            Shr:          {state_d.accumulator, state_d.carry} = {1'b0, state_q.accumulator};
            Swp:          state_d.accumulator = {state_q.accumulator[7:0], state_q.accumulator[15:8]};
            Txa:          state_d.accumulator = 16'(state_q.index);
            Tax:          state_d.index = state_q.accumulator[ProgramBits-1:0];
            Jmp:          state_d.pc = k;
            Jz:           state_d.pc = state_q.zero ? k : next_pc;
            Jnz:          state_d.pc = state_q.zero ? next_pc : k;
            Jc:           state_d.pc = state_q.carry ? k : next_pc;
            Jnc:          state_d.pc = state_q.carry ? next_pc : k;
            Jma:          state_d.pc = state_q.accumulator[ProgramBits-1:0];
            Call: begin
              state_d.pc    = k;
              state_d.calls = {state_q.calls[StackDepth-2:0], next_pc};
            end
            Ret: begin
              state_d.pc    = state_q.calls[0];
              state_d.calls = {{ProgramBits{1'b0}}, state_q.calls[StackDepth-1:1]};
            end
            default:      state_d.pc = next_pc;
          endcase
          if (instruction inside {Cmp, Cpi}) state_d.zero = difference[15:0] == '0;
          else if (is_result) state_d.zero = state_d.accumulator == '0;
          program_address_o = state_d.pc;
          if (instruction == Ldp) begin
            state_d.stage     = Load;
            program_address_o = k;
          end
        end
      end
      Load: begin
        state_d.stage       = Decode;
        state_d.accumulator = program_word_i[15:0];
        state_d.zero        = program_word_i[15:0] == '0;
      end
      default: state_d.stage = Fetch;
    endcase
    if (restart_i) state_d = '0;
  end

endmodule

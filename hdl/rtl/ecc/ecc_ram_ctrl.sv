// SPDX-License-Identifier: Apache-2.0
// The control of an ECC RAM: first writing, user port, patrol scrubber, counters.
//
// Answers upsets of stored words. After reset every word is written before the first request is granted. Then a
// scrubber visits one word every ScrubIntervalClocks while scrub_enable_i is high: it reads, and where one bit is wrong
// it writes the corrected codeword back and reads again. A user read that finds one wrong bit has its word visited at
// once, also while scrub_enable_i is low; a second such read waits for its turn in the patrol or for its next read.
//
// The user goes first. A visit takes clocks in which the user asks for nothing, and after ScrubPatienceClocks of
// waiting one clock without a grant. A user write that meets a visit of the same word is the newer truth: the
// write-back is dropped and the visit starts again, so neither the write nor the visit is lost. After MostRestarts of
// them the visit ends, lest a word that is written over and over hold up the patrol: it holds what the user wrote last,
// and a bad cell in it is met again in the next pass.
//
// The state is a code word: one flip is put right, and two read as idle, never as a state that writes. The place of the
// patrol and all that a visit acts on between its read and its write-back stand in voted registers: one upset neither
// leaves a word out of the first writing nor brings a word to the wrong place. With HardenTmr the strobes and flags of
// reads, the held codeword, what is due, and the counters are voted too. With HardenNone nothing is, and an upset of the
// control may do any of that; stored words keep their code.
//
// What is counted:
//   corrected      a visit found one wrong bit, wrote it back and read it right. One upset counts once, however
//                  often the user read the word; one that the user overwrites first does not count.
//   uncorrectable  a visit or a user read met an uncorrectable word; it stays so, and counts once a pass, until the
//                  user writes it.
//   stuck          a patrol visit wrote a word back and read it wrong: once a pass. stuck_o stays until cleared.
//   scrub_pass     the patrol came to the last word.
// last_error_address_o is that of the last word found wrong by a user read or a visit.
//
// Where the held codeword is not voted, an upset of it is written back as one wrong bit: the second read finds it, it
// counts as a stuck word, and the next visit puts it right.
//
// Not answered: a wrong row delivered by the address decoder of the RAM; a reset erases the content.
//
// SEU_MIT: ECC_RAM.WORD.SECDED
// SEU_MIT: ECC_RAM.WORD.SCRUB

module ecc_ram_ctrl
  import ecc_ram_pkg::*;
  import harden_pkg::*;
#(
    parameter  int unsigned DataBits            = 32,
    parameter  int unsigned CheckBits           = 7,
    parameter  int unsigned Words               = 256,  // At most 65,536.
    parameter  int unsigned ScrubIntervalClocks = 500,
    parameter  int unsigned ScrubPatienceClocks = 64,
    parameter  harden_e     Harden              = HardenFsm,
    localparam int unsigned CodewordBits        = DataBits + CheckBits,
    localparam int unsigned AddressBits         = $clog2(Words)
) (
    input  logic                    clk_i,
    input  logic                    rst_ni,
    // User: a request is taken in a clock with grant_o; a read is answered in the next clock.
    input  logic                    request_i,
    input  logic                    write_i,
    input  logic [ AddressBits-1:0] address_i,
    input  logic [CodewordBits-1:0] wcodeword_i,
    output logic                    grant_o,
    output logic                    rvalid_o,
    output logic [    DataBits-1:0] rdata_o,
    output logic                    rcorrected_o,
    output logic                    runcorrectable_o,
    // While inject_valid_i is high, inject_mask_i is flipped in every codeword that the user writes.
    input  logic                    inject_valid_i,
    input  logic [CodewordBits-1:0] inject_mask_i,
    // Scrubber and counters.
    input  logic                    scrub_enable_i,
    input  logic                    clear_counters_i,
    output logic                    init_done_o,
    output logic                    stuck_o,
    output logic [            15:0] corrected_count_o,
    output logic [            15:0] uncorrectable_count_o,
    output logic [            15:0] stuck_count_o,
    output logic [            15:0] scrub_pass_count_o,
    output logic [            15:0] last_error_address_o,
    // Storage.
    output logic                    ram_read_o,
    output logic                    ram_write_o,
    output logic [ AddressBits-1:0] ram_address_o,
    output logic [CodewordBits-1:0] ram_wdata_o,
    input  logic [   CheckBits-1:0] ram_check_i,  // Of the codeword read.
    // Decoder of the codeword read.
    input  logic [    DataBits-1:0] decoded_data_i,
    input  logic [   CheckBits-1:0] decoded_syndrome_i,
    input  logic                    decoded_corrected_i,
    input  logic                    decoded_uncorrectable_i
);

  localparam int unsigned MostRestarts = 8;
  localparam int unsigned RestartBits  = $clog2(MostRestarts + 1);
  localparam int unsigned PatienceBits = $clog2(ScrubPatienceClocks + 1);
  localparam logic [AddressBits-1:0] LastAddress = AddressBits'(Words - 1);

  localparam bit IsVoted = Harden != HardenNone;      // What decides where words are written.
  localparam bit IsAllVoted = Harden == HardenTmr;

  state_e state, next;
  logic [$bits(state_e)-1:0] stored_state;

  logic [AddressBits-1:0] patrol;  // Next word of the patrol; the word being written first. Voted.
  logic [AddressBits-1:0] repair;  // Word in which a user read found a wrong bit. Voted.
  logic [AddressBits-1:0] target;  // Word of the visit.
  logic is_repair_pending;
  logic is_repair;  // The visit is of that word. Voted.
  logic patrol_moves, repair_comes;
  logic is_due, interval_tick;
  logic is_touched;  // The user wrote the word since the visit read it. Voted.
  logic [RestartBits-1:0] restarts_left;
  logic [CodewordBits-1:0] restored;
  logic [12:0] unused_upsets;  // Put right in the next clock, and not told.

  logic wants_clock, has_clock, takes_clock;
  logic user_access, user_read, user_write;
  logic visit_starts, visit_restarts, visit_ends, has_error, is_found;

  logic [1:0] unused_found;  // Of the state: an upset of it is put right and not told.

  // SEU_MIT: ECC_RAM.STATE.SPARSE
  fsm_reg #(
      .States  (States),
      .CodeBits(CodeBits),
      .Codes   (StateCodes),
      .Reset   (StateInit),
      .Safe    (StateIdle),
      .Coded   (IsVoted)
  ) u_state (
      .clk_i,
      .rst_ni,
      .next_i     (next),
      .state_o    (stored_state),
      .corrected_o(unused_found[0]),
      .lost_o     (unused_found[1])
  );

  assign state = state_e'(stored_state);

  // --- Who has the RAM in this clock --------------------------------------------------------------------------------

  logic [PatienceBits-1:0] patience;

  assign init_done_o = state != StateInit;
  assign wants_clock = state inside {StateRead, StateRestore, StateReread};
  assign takes_clock = wants_clock && patience == '0;
  assign grant_o     = init_done_o && !takes_clock;
  assign user_access = request_i && grant_o;
  assign has_clock   = wants_clock && !user_access;

  tmr_reg #(
      .Width     (PatienceBits),
      .ResetValue(PatienceBits'(ScrubPatienceClocks)),
      .Triplicate(IsAllVoted)
  ) u_patience (
      .clk_i,
      .rst_ni,
      .write_i  (1'b1),
      .d_i      (!wants_clock || has_clock ? PatienceBits'(ScrubPatienceClocks) : patience - 1'b1),
      .witness_i('0),
      .q_o      (patience),
      .upset_o  (unused_upsets[0])
  );

  // A request beyond the last word is granted: a write goes nowhere, a read is answered as uncorrectable.
  logic is_in_range;
  assign is_in_range = {1'b0, address_i} < (AddressBits + 1)'(Words);
  assign user_read   = user_access && !write_i;
  assign user_write  = user_access && write_i && is_in_range;

  always_comb begin
    ram_read_o    = user_read || (has_clock && state inside {StateRead, StateReread});
    ram_write_o   = user_write || (has_clock && state == StateRestore && !is_touched);
    ram_address_o = user_access ? address_i : target;
    ram_wdata_o   = restored;
    if (user_access) ram_wdata_o = wcodeword_i ^ (inject_mask_i & {CodewordBits{inject_valid_i}});
    if (!init_done_o) begin
      ram_write_o = 1'b1;
      ram_wdata_o = '0;  // Zero is a codeword of every linear code.
    end
  end

  // --- User reads ---------------------------------------------------------------------------------------------------

  logic [AddressBits-1:0] read_address;
  logic is_read_in_range;

  // SEU_MIT: ECC_RAM.READ.TMR
  tmr_reg #(
      .Triplicate(IsAllVoted)
  ) u_rvalid (
      .clk_i,
      .rst_ni,
      .write_i  (1'b1),
      .d_i      (user_read),
      .witness_i('0),
      .q_o      (rvalid_o),
      .upset_o  (unused_upsets[1])
  );

  tmr_reg #(
      .Width     (1 + AddressBits),
      .Triplicate(IsAllVoted)
  ) u_read_address (
      .clk_i,
      .rst_ni,
      .write_i  (user_read),
      .d_i      ({is_in_range, address_i}),
      .witness_i('0),
      .q_o      ({is_read_in_range, read_address}),
      .upset_o  (unused_upsets[2])
  );

  assign rdata_o          = decoded_data_i;
  assign rcorrected_o     = rvalid_o && is_read_in_range && decoded_corrected_i;
  assign runcorrectable_o = rvalid_o && (!is_read_in_range || decoded_uncorrectable_i);

  // --- Visits -------------------------------------------------------------------------------------------------------

  tick_gen #(
      .Clocks(ScrubIntervalClocks)
  ) u_interval (
      .clk_i,
      .rst_ni,
      .tick_o(interval_tick)
  );

  assign target         = is_repair ? repair : patrol;
  assign has_error      = decoded_corrected_i || decoded_uncorrectable_i;
  assign visit_starts   = state == StateIdle && next == StateRead;
  assign visit_restarts = state inside {StateRestore, StateReread} && is_touched && restarts_left != '0;

  always_comb begin
    visit_ends = state == StateConfirm;
    if (state == StateCheck) visit_ends = !decoded_corrected_i;
    if (state inside {StateRestore, StateReread}) visit_ends = is_touched && restarts_left == '0;
  end

  always_comb begin
    next = state;
    unique case (state)
      StateInit: if (patrol == LastAddress) next = StateIdle;
      StateRead: if (has_clock) next = StateCheck;
      StateCheck: next = decoded_corrected_i ? StateRestore : StateIdle;
      StateRestore: begin
        if (is_touched) next = visit_restarts ? StateRead : StateIdle;
        else if (has_clock) next = StateReread;
      end
      StateReread: begin
        if (is_touched) next = visit_restarts ? StateRead : StateIdle;
        else if (has_clock) next = StateConfirm;
      end
      StateConfirm: next = StateIdle;
      default: if (is_repair_pending || (is_due && scrub_enable_i)) next = StateRead;
    endcase
  end

  // What the word should have been: the decoder gives the data bits, and a syndrome with a single one is a flipped
  // check bit.
  logic [CheckBits-1:0] flipped_check;
  assign flipped_check = decoded_syndrome_i & {CheckBits{$onehot(decoded_syndrome_i)}};

  tmr_reg #(
      .Width     (RestartBits),
      .Triplicate(IsAllVoted)
  ) u_restarts_left (
      .clk_i,
      .rst_ni,
      .write_i  (visit_starts || visit_restarts),
      .d_i      (visit_starts ? RestartBits'(MostRestarts) : restarts_left - 1'b1),
      .witness_i('0),
      .q_o      (restarts_left),
      .upset_o  (unused_upsets[3])
  );

  tmr_reg #(
      .Width     (CodewordBits),
      .Triplicate(IsAllVoted)
  ) u_restored (
      .clk_i,
      .rst_ni,
      .write_i  (state == StateCheck),
      .d_i      ({ram_check_i ^ flipped_check, decoded_data_i}),
      .witness_i('0),
      .q_o      (restored),
      .upset_o  (unused_upsets[4])
  );

  tmr_reg #(
      .Triplicate(IsAllVoted)
  ) u_is_due (
      .clk_i,
      .rst_ni,
      .write_i  (interval_tick || (visit_starts && !is_repair_pending)),
      .d_i      (interval_tick),
      .witness_i('0),
      .q_o      (is_due),
      .upset_o  (unused_upsets[5])
  );

  tmr_reg #(
      .Triplicate(IsAllVoted)
  ) u_is_repair_pending (
      .clk_i,
      .rst_ni,
      .write_i  ((visit_ends && is_repair) || repair_comes),
      .d_i      (!(visit_ends && is_repair)),
      .witness_i('0),
      .q_o      (is_repair_pending),
      .upset_o  (unused_upsets[6])
  );

  // --- What a visit acts on, voted ----------------------------------------------------------------------------------
  // SEU_MIT: ECC_RAM.VISIT.TMR

  assign patrol_moves  = !init_done_o || (visit_ends && !is_repair);
  assign repair_comes  = rcorrected_o && !is_repair_pending && (state == StateIdle || !is_repair);

  tmr_reg #(
      .Width     (AddressBits),
      .Triplicate(IsVoted)
  ) u_patrol (
      .clk_i,
      .rst_ni,
      .write_i  (patrol_moves),
      .d_i      (patrol >= LastAddress ? '0 : patrol + 1'b1),
      .witness_i('0),
      .q_o      (patrol),
      .upset_o  (unused_upsets[8])
  );

  tmr_reg #(
      .Width     (AddressBits),
      .Triplicate(IsVoted)
  ) u_repair (
      .clk_i,
      .rst_ni,
      .write_i  (repair_comes),
      .d_i      (read_address),
      .witness_i('0),
      .q_o      (repair),
      .upset_o  (unused_upsets[9])
  );

  tmr_reg #(
      .Triplicate(IsVoted)
  ) u_is_repair (
      .clk_i,
      .rst_ni,
      .write_i  (visit_starts),
      .d_i      (is_repair_pending),
      .witness_i('0),
      .q_o      (is_repair),
      .upset_o  (unused_upsets[10])
  );

  tmr_reg #(
      .Triplicate(IsVoted)
  ) u_is_touched (
      .clk_i,
      .rst_ni,
      .write_i  (state == StateRead || (user_write && address_i == target)),
      .d_i      (state != StateRead),
      .witness_i('0),
      .q_o      (is_touched),
      .upset_o  (unused_upsets[11])
  );

  // --- What is told -------------------------------------------------------------------------------------------------

  logic [AddressBits-1:0] found_address;
  assign is_found      = (rvalid_o && is_read_in_range && has_error) || (state == StateCheck && has_error);
  assign found_address = rvalid_o ? read_address : target;

  logic [AddressBits-1:0] last_error_address;
  assign last_error_address_o = 16'(last_error_address);

  tmr_reg #(
      .Triplicate(IsAllVoted)
  ) u_stuck_flag (
      .clk_i,
      .rst_ni,
      .write_i  ((state == StateConfirm && has_error) || clear_counters_i),
      .d_i      (state == StateConfirm && has_error),
      .witness_i('0),
      .q_o      (stuck_o),
      .upset_o  (unused_upsets[7])
  );

  tmr_reg #(
      .Width     (AddressBits),
      .Triplicate(IsAllVoted)
  ) u_last_error_address (
      .clk_i,
      .rst_ni,
      .write_i  (is_found || clear_counters_i),
      .d_i      (is_found ? found_address : '0),
      .witness_i('0),
      .q_o      (last_error_address),
      .upset_o  (unused_upsets[12])
  );

  event_counter #(
      .Triplicate(IsAllVoted)
  ) u_corrected (
      .clk_i,
      .rst_ni,
      .clear_i(clear_counters_i),
      .event_i(state == StateConfirm && !has_error),
      .count_o(corrected_count_o)
  );

  event_counter #(
      .Triplicate(IsAllVoted)
  ) u_uncorrectable (
      .clk_i,
      .rst_ni,
      .clear_i(clear_counters_i),
      .event_i(is_found && decoded_uncorrectable_i),
      .count_o(uncorrectable_count_o)
  );

  event_counter #(
      .Triplicate(IsAllVoted)
  ) u_stuck (
      .clk_i,
      .rst_ni,
      .clear_i(clear_counters_i),
      .event_i(state == StateConfirm && has_error && !is_repair),
      .count_o(stuck_count_o)
  );

  event_counter #(
      .Triplicate(IsAllVoted)
  ) u_scrub_pass (
      .clk_i,
      .rst_ni,
      .clear_i(clear_counters_i),
      .event_i(visit_ends && !is_repair && patrol == LastAddress),
      .count_o(scrub_pass_count_o)
  );

endmodule

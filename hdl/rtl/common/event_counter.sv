// SPDX-License-Identifier: Apache-2.0
// Counts how many of its events happen in each clock and stays at its highest value: a counter that wrapped would hide
// a storm.
//
// With Triplicate it is voted. Without, an upset is a wrong count until it is cleared.
//
// SEU_MIT: EVENT_COUNTER.CTR.TMR

module event_counter #(
    parameter int unsigned Events = 1,
    parameter int unsigned Width = 16,
    parameter bit Triplicate = 1'b0
) (
    input  logic              clk_i,
    input  logic              rst_ni,
    input  logic              clear_i,  // Events in the same clock are the first of the new count.
    input  logic [Events-1:0] event_i,
    output logic [ Width-1:0] count_o
);

  logic [Width-1:0] start, next;
  logic unused_upset, counts;

  assign start = clear_i ? '0 : count_o;

  if (Events == 1) begin : gen_one
    assign counts = event_i[0] && !(&count_o);
    assign next   = start + Width'(event_i[0]);
  end else begin : gen_several
    logic [Width:0] sum;

    always_comb begin
      sum = {1'b0, start};
      for (int index = 0; index < Events; index++) sum += (Width + 1)'(event_i[index]);
    end

    assign counts = event_i != '0;
    assign next   = sum[Width] ? '1 : sum[Width-1:0];
  end

  tmr_reg #(
      .Width     (Width),
      .Triplicate(Triplicate)
  ) u_count (
      .clk_i,
      .rst_ni,
      .write_i  (clear_i || counts),
      .d_i      (next),
      .witness_i('0),
      .q_o      (count_o),
      .upset_o  (unused_upset)
  );

endmodule

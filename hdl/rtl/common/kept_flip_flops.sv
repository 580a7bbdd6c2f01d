// SPDX-License-Identifier: Apache-2.0
// Flip-flops of any clock edge and asynchronous reset that synthesis keeps as they are written.
//
// The boundary hides what is stored, so that neither equal replicas nor bits that never change are folded away. This
// cell corrects nothing by itself.
//
// SEU_MIT: KEPT_FLIP_FLOPS.SYNTHESIS.KEEP

(* keep_hierarchy = "yes" *)
module kept_flip_flops #(
    parameter int unsigned Width = 1,
    parameter bit IsFalling = 1'b0,
    parameter bit HasReset = 1'b1,
    parameter bit ResetLevel = 1'b0,
    parameter logic [Width-1:0] ResetValue = '0,
    parameter bit HasInitial = 1'b0,
    parameter logic [Width-1:0] InitialValue = '0
) (
    input  logic             clk_i,
    input  logic             reset_i,  // Active at ResetLevel; read only with HasReset.
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o
);

  (* keep = "true" *) logic [Width-1:0] stored_q;

  assign q_o = stored_q;

  if (HasInitial) begin : gen_initial
    initial stored_q = InitialValue;
  end

  if (!HasReset) begin : gen_plain
    logic unused_reset;
    assign unused_reset = reset_i;
    if (IsFalling) begin : gen_falling
      always_ff @(negedge clk_i) stored_q <= d_i;
    end else begin : gen_rising
      always_ff @(posedge clk_i) stored_q <= d_i;
    end
  end else if (ResetLevel) begin : gen_reset_high
    if (IsFalling) begin : gen_falling
      always_ff @(negedge clk_i or posedge reset_i) begin
        if (reset_i) stored_q <= ResetValue;
        else stored_q <= d_i;
      end
    end else begin : gen_rising
      always_ff @(posedge clk_i or posedge reset_i) begin
        if (reset_i) stored_q <= ResetValue;
        else stored_q <= d_i;
      end
    end
  end else begin : gen_reset_low
    if (IsFalling) begin : gen_falling
      always_ff @(negedge clk_i or negedge reset_i) begin
        if (!reset_i) stored_q <= ResetValue;
        else stored_q <= d_i;
      end
    end else begin : gen_rising
      always_ff @(posedge clk_i or negedge reset_i) begin
        if (!reset_i) stored_q <= ResetValue;
        else stored_q <= d_i;
      end
    end
  end

endmodule

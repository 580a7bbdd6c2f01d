// SPDX-License-Identifier: Apache-2.0
// Flips bits of the engine's state in one replica: the one whose bit of flip rises takes mask.
//
// Not through the simulator's own interface: what hangs on a signal that can be written from outside is evaluated twice
// in each clock, and everything hangs on some voted register.

/* verilator lint_off MULTIDRIVEN */  // An upset is a second driver.
module link_upsets #(
    parameter int unsigned Bits = 1
);

  logic [     2:0] flip = '0;
  logic [Bits-1:0] mask = '0;

  for (genvar index = 0; index < 3; index++) begin : gen_replica
    always @(posedge flip[index]) begin
      u_state.gen_replica[index].u_replica.stored_q <= u_state.gen_replica[index].u_replica.stored_q ^ mask;
    end
  end

endmodule

bind engine_core link_upsets #(.Bits(StateBits)) u_upsets ();

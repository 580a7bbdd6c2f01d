// SPDX-License-Identifier: Apache-2.0
// Joins packet streams into one, packet by packet, in turn.
//
// The owner of the output keeps it until its last octet is taken; a source with nothing to send is
// passed over, one a clock. There is no lock that an upset could leave set: an owner that stops
// being valid loses the output. An upset of the owner breaks one packet in two; both parts fail
// their packet error control.

module packet_arbiter #(
    parameter int unsigned Sources = 2
) (
    input  logic                    clk_i,
    input  logic                    rst_ni,
    input  logic [Sources-1:0]      s_valid_i,
    output logic [Sources-1:0]      s_ready_o,
    input  logic [Sources-1:0][7:0] s_data_i,
    input  logic [Sources-1:0]      s_last_i,
    output logic                    m_valid_o,
    input  logic                    m_ready_i,
    output logic [7:0]              m_data_o,
    output logic                    m_last_o
);

  localparam int unsigned OwnerBits = Sources > 1 ? $clog2(Sources) : 1;

  logic [OwnerBits-1:0] owner_q;
  logic                 is_turn_over;

  always_comb begin
    m_valid_o = 1'b0;
    m_data_o  = '0;
    m_last_o  = 1'b0;
    s_ready_o = '0;
    for (int unsigned i = 0; i < Sources; i++) begin
      if (owner_q == OwnerBits'(i)) begin
        m_valid_o    = s_valid_i[i];
        m_data_o     = s_data_i[i];
        m_last_o     = s_last_i[i];
        s_ready_o[i] = m_ready_i;
      end
    end
  end

  assign is_turn_over = !m_valid_o || (m_ready_i && m_last_o);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) owner_q <= '0;
    else if (is_turn_over) owner_q <= owner_q >= OwnerBits'(Sources - 1) ? '0 : owner_q + 1'b1;
  end

endmodule

// SPDX-License-Identifier: Apache-2.0
// This copy of a library cell may be used, changed and passed on under any terms.
// The link of a payload: a serial line, frames, and the engine whose program answers telecommands (ECSS-E-ST-70-41C).
//
// The program is a module of its own beside this one, because it is generated from the description. This module holds
// what the program cannot do at the speed of the line: octets, stuffing, sums, and the wires to the rest of the payload.
//
// A watchdog starts the program anew when it has not come round for WatchdogMs, not counting the time in which it waits
// for the line; restart_o asks for a warm reset of the payload, for one clock. warm_boot_o asks for another bitstream, until
// that is there, and with it another payload; its slot stands since at least one clock before. Nothing that arrives on the line can stop the receiver or the sender: both run on their own.
//
// SEU_MIT: LINK.ENGINE.WATCHDOG

module pus_link
  import engine_pkg::*;
#(
    parameter int unsigned MillisecondClocks = 12_000,
    parameter int unsigned Divisor           = 16,      // Clocks a bit.
    parameter int unsigned ReceiveBits       = 12,      // Octets of the ring of received packets, as a power of two.
    parameter int unsigned SendBits          = 11,      // The same of packets to send.
    parameter int unsigned WatchdogMs        = 500,
    parameter bit          Triplicate        = 1'b1,
    parameter bit          Rescue            = 1'b0,    // The program may take over the line for other than frames.
    parameter bit          WarmBoot          = 1'b0,    // A slot may hold a bitstream.
    parameter logic [63:0] BuildId           = '0       // Of gateware and tools; whoever builds sets it.
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       rx_i,                     // Asynchronous.
    output logic                       tx_o,
    // The program.
    output logic [    ProgramBits-1:0] program_address_o,
    input  logic [InstructionBits-1:0] program_word_i,           // The clock after its address.
    input  logic                       program_corrected_i,
    input  logic                       program_uncorrectable_i,
    // Time.
    input  logic [               31:0] coarse_time_i,            // s
    input  logic [               15:0] fine_time_i,              // 2^-16 s
    output logic                       time_set_o,               // One clock.
    output logic [               31:0] coarse_time_o,
    output logic [               15:0] fine_time_o,
    // Registers, APB4.
    output logic                       apb_psel_o,
    output logic                       apb_penable_o,
    output logic                       apb_pwrite_o,
    output logic [               15:0] apb_paddr_o,              // Octets.
    output logic [               31:0] apb_pwdata_o,
    input  logic                       apb_pready_i,
    input  logic [               31:0] apb_prdata_i,
    input  logic                       apb_pslverr_i,
    // Housekeeping reports, octet by octet.
    input  logic                       report_valid_i,
    output logic                       report_ready_o,
    input  logic [                7:0] report_octet_i,
    input  logic                       report_last_i,
    // Memories, octet by octet; the access is held until memory_ready_i.
    output logic [                7:0] memory_id_o,
    output logic                       memory_read_o,
    output logic                       memory_write_o,
    output logic [               23:0] memory_address_o,         // Octets.
    output logic [                7:0] memory_octet_o,
    input  logic [                7:0] memory_octet_i,
    input  logic                       memory_ready_i,
    input  logic                       memory_broken_i,          // One clock.
    // SPI flash.
    output logic                       flash_sck_o,
    output logic                       flash_cs_no,
    output logic                       flash_mosi_o,
    input  logic                       flash_miso_i,
    input  logic                       boot_select_i,            // Asynchronous.
    input  logic [               15:0] warm_boot_slots_i,        // Whose bitstream the FPGA can be made to load; constant.
    output logic                       warm_boot_o,
    output logic [                3:0] warm_boot_slot_o,
    input  logic                       was_restart_i,            // The last reset was asked for by restart_o.
    output logic                       restart_o                 // One clock.
);

  localparam int unsigned ReceiveLengthBits = ReceiveBits + 1;
  localparam int unsigned SendPointerBits = SendBits + 1;
  localparam logic [15:0] RestartWord = 16'h6969;

  // --- The line ---------------------------------------------------------------------------------

  logic is_received, is_framing_error, is_break;
  logic [7:0] received_octet;
  logic is_frame_octet, is_frame_end, is_frame_bad;
  logic [7:0] frame_octet;
  logic is_bad_frame, is_bad_length, is_no_room;

  uart_rx #(
      .Divisor(Divisor)
  ) u_uart_rx (
      .clk_i,
      .rst_ni,
      .rx_i,
      .valid_o        (is_received),
      .octet_o        (received_octet),
      .framing_error_o(is_framing_error),
      .break_o        (is_break)
  );

  logic is_raw_q;

  cobs_decoder u_cobs_decoder (
      .clk_i,
      .rst_ni,
      .valid_i (is_received && !is_raw_q),
      .octet_i (received_octet),
      .spoilt_i(is_framing_error),
      .valid_o (is_frame_octet),
      .octet_o (frame_octet),
      .end_o   (is_frame_end),
      .is_bad_o(is_frame_bad)
  );

  // --- The processor ----------------------------------------------------------------------------

  logic is_watchdog_over;
  logic [RamAddressBits-1:0] ram_address;
  logic is_ram_read, is_ram_write, is_ram_corrected, is_ram_uncorrectable;
  logic [15:0] ram_word, word;
  logic [AddressBits-1:0] port;
  logic is_read, is_write, is_ready;
  logic [15:0] port_word;
  logic is_core_upset;

  engine_core #(
      .Triplicate(Triplicate)
  ) u_core (
      .clk_i,
      .rst_ni,
      .restart_i     (is_watchdog_over),
      .program_address_o,
      .program_word_i,
      .ram_address_o (ram_address),
      .ram_read_o    (is_ram_read),
      .ram_write_o   (is_ram_write),
      .ram_word_i    (ram_word),
      .port_address_o(port),
      .port_read_o   (is_read),
      .port_write_o  (is_write),
      .port_ready_i  (is_ready),
      .port_word_i   (port_word),
      .word_o        (word),
      .upset_o       (is_core_upset)
  );

  engine_ram u_ram (
      .clk_i,
      .address_i      (ram_address),
      .write_i        (is_ram_write),
      .word_i         (word),
      .word_o         (ram_word),
      .read_i         (is_ram_read),
      .corrected_o    (is_ram_corrected),
      .uncorrectable_o(is_ram_uncorrectable)
  );

  // An access of two octets takes two steps.
  logic is_word, is_step_done, is_second_q;
  logic [7:0] rx_octet, first_octet_q;

  assign is_word = (is_read && port == PortRxWord) || (is_write && port == PortTxWord);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      is_second_q   <= 1'b0;
      first_octet_q <= '0;
    end else if (!is_word) begin
      is_second_q <= 1'b0;
    end else if (is_step_done) begin
      is_second_q   <= !is_second_q;
      first_octet_q <= rx_octet;
    end
  end

  // --- Packets that came in ---------------------------------------------------------------------

  logic is_rx_available, is_rx_checked, is_rx_good, is_taking_q;
  logic [ReceiveLengthBits-1:0] rx_length;

  frame_receiver #(
      .AddressBits(ReceiveBits)
  ) u_frame_receiver (
      .clk_i,
      .rst_ni,
      .valid_i       (is_raw_q ? is_received : is_frame_octet),
      .octet_i       (is_raw_q ? received_octet : frame_octet),
      .end_i         (is_frame_end),
      .is_bad_i      (is_frame_bad),
      .is_raw_i      (is_raw_q),
      .clear_i       (Rescue && is_write && port == PortRxRaw),
      .bad_frame_o   (is_bad_frame),
      .bad_length_o  (is_bad_length),
      .no_room_o     (is_no_room),
      .is_available_o(is_rx_available),
      .take_i        ((is_read && port == PortRxTake) && !is_taking_q && !is_rx_checked),
      .check_done_o  (is_rx_checked),
      .is_good_o     (is_rx_good),
      .length_o      (rx_length),
      .seek_i        ((is_write && port == PortRxSeek)),
      .seek_offset_i (ReceiveLengthBits'(word)),
      .next_i        ((is_read && port == PortRxOctet) || (is_read && port == PortRxWord)),
      .octet_o       (rx_octet),
      .release_i     ((is_write && port == PortRxRelease))
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) is_taking_q <= 1'b0;
    else is_taking_q <= (is_read && port == PortRxTake) && !is_rx_checked;
  end

  // Octets in no frame are for a rescue; without one this is constant.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) is_raw_q <= 1'b0;
    else if (Rescue && is_write && port == PortRxRaw) is_raw_q <= word[0];
  end

  // --- Packets that go out ----------------------------------------------------------------------

  logic is_tx_ready;
  logic [SendPointerBits-1:0] tx_room;
  logic is_line_valid, is_line_ready;
  logic [7:0] tx_octet, line_octet;
  logic is_raw_sent;

  assign is_raw_sent = Rescue && is_write && port == PortTxRaw && !is_line_valid;
  assign tx_octet = (is_write && port == PortTxWord) && !is_second_q ? word[15:8] : word[7:0];

  frame_sender #(
      .AddressBits(SendBits)
  ) u_frame_sender (
      .clk_i,
      .rst_ni,
      .valid_i  ((is_write && port == PortTxOctet) || (is_write && port == PortTxWord)),
      .octet_i  (tx_octet),
      .end_i    ((is_write && port == PortTxEnd)),
      .abort_i  ((is_write && port == PortTxAbort)),
      .ready_o  (is_tx_ready),
      .room_o   (tx_room),
      .valid_o  (is_line_valid),
      .ready_i  (is_line_ready),
      .octet_o  (line_octet)
  );

  uart_tx #(
      .Divisor(Divisor)
  ) u_uart_tx (
      .clk_i,
      .rst_ni,
      .valid_i(is_line_valid || is_raw_sent),
      .ready_o(is_line_ready),
      .octet_i(is_raw_sent ? word[7:0] : line_octet),
      .tx_o
  );

  // --- Time -------------------------------------------------------------------------------------

  logic is_millisecond;
  logic [7:0] milliseconds;
  logic [31:0] coarse_q;
  logic [15:0] fine_q;

  periodic_trigger #(
      .PeriodCycles(64'(MillisecondClocks))
  ) u_millisecond (
      .clk_i,
      .rst_ni,
      .trigger_o(is_millisecond)
  );

  event_counter #(
      .Width(8)
  ) u_milliseconds (
      .clk_i,
      .rst_ni,
      .clear_i((is_read && port == PortMilliseconds)),
      .event_i(is_millisecond),
      .count_o(milliseconds)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      coarse_q <= '0;
      fine_q   <= '0;
    end else if ((is_write && port == PortTimeLatch)) begin
      coarse_q <= coarse_time_i;
      fine_q   <= fine_time_i;
    end else begin
      if ((is_write && port == PortTimeHigh)) coarse_q[31:16] <= word;
      if ((is_write && port == PortTimeLow)) coarse_q[15:0] <= word;
      if ((is_write && port == PortTimeFine)) fine_q <= word;
    end
  end

  assign time_set_o    = (is_write && port == PortTimeSet);
  assign coarse_time_o = coarse_q;
  assign fine_time_o   = fine_q;

  // --- Registers --------------------------------------------------------------------------------

  logic is_bus_access, is_bus_done;
  logic [13:0] bus_address_q;
  logic [31:0] bus_data_q;

  assign is_bus_access = (is_read && port == PortBusRead) || (is_read && port == PortBusWrite);
  assign is_bus_done   = apb_penable_o && apb_pready_i;
  assign apb_psel_o    = is_bus_access;
  assign apb_pwrite_o  = (is_read && port == PortBusWrite);
  assign apb_paddr_o   = {bus_address_q, 2'b00};
  assign apb_pwdata_o  = bus_data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      bus_address_q <= '0;
      bus_data_q    <= '0;
      apb_penable_o <= 1'b0;
    end else begin
      apb_penable_o <= is_bus_access && !is_bus_done;
      if ((is_write && port == PortBusAddress)) bus_address_q <= word[13:0];
      if ((is_write && port == PortBusHigh)) bus_data_q[31:16] <= word;
      if ((is_write && port == PortBusLow)) bus_data_q[15:0] <= word;
      if (is_bus_done && !apb_pwrite_o) bus_data_q <= apb_prdata_i;
    end
  end

  // --- Sums -------------------------------------------------------------------------------------

  // An octet comes from the program, or from the flash while that is summed.
  logic is_sum_octet, is_flash_summed;
  logic [7:0] flash_octet, sum_octet;
  logic [15:0] crc_q, crc_next;

  assign is_sum_octet = (is_write && port == PortCrcOctet) || is_flash_summed;
  assign sum_octet    = is_flash_summed ? flash_octet : word[7:0];

  crc16_octet u_crc16_octet (
      .crc_i  (crc_q),
      .octet_i(sum_octet),
      .crc_o  (crc_next)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) crc_q <= '1;
    else if ((is_write && port == PortCrcStart)) crc_q <= '1;
    else if (is_sum_octet) crc_q <= crc_next;
  end

  logic [31:0] crc32_q, crc32_next;

  crc32_octet u_crc32_octet (
      .crc_i  (crc32_q),
      .octet_i(sum_octet),
      .crc_o  (crc32_next)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) crc32_q <= '1;
    else if (is_write && port == PortCrcStart) crc32_q <= '1;
    else if (is_sum_octet) crc32_q <= crc32_next;
  end

  // --- Memories ---------------------------------------------------------------------------------

  logic is_memory_access, is_memory_broken_q;

  assign memory_read_o    = is_read && port == PortMemoryOctet;
  assign memory_write_o   = is_write && port == PortMemoryOctet;
  assign memory_octet_o   = word[7:0];
  assign is_memory_access = memory_read_o || memory_write_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      memory_id_o        <= '0;
      memory_address_o   <= '0;
      is_memory_broken_q <= 1'b0;
    end else begin
      is_memory_broken_q <= is_memory_broken_q || memory_broken_i;
      if (is_memory_access && memory_ready_i) memory_address_o <= memory_address_o + 1'b1;
      if (is_write && port == PortMemoryHigh) memory_address_o[23:16] <= word[7:0];
      if (is_write && port == PortMemoryLow) memory_address_o[15:0] <= word;
      if (is_write && port == PortMemorySelect) begin
        memory_id_o        <= word[7:0];
        is_memory_broken_q <= 1'b0;
      end
    end
  end

  // --- Flash ------------------------------------------------------------------------------------

  logic is_flash_busy, is_spi_busy, is_boot_select, is_fetched_q;
  logic [8:0] sum_left_q;  // Octets that the sums still take by themselves.

  assign is_flash_busy   = is_spi_busy || sum_left_q != '0;
  assign is_flash_summed = is_fetched_q && !is_spi_busy;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_left_q   <= '0;
      is_fetched_q <= 1'b0;
    end else begin
      is_fetched_q <= sum_left_q > 9'(is_flash_summed);
      if (is_write && port == PortFlashSum && !is_flash_busy) sum_left_q <= word[8:0];
      else sum_left_q <= sum_left_q - 9'(is_flash_summed);
    end
  end

  spi_octets u_flash (
      .clk_i,
      .rst_ni,
      .start_i  (sum_left_q > 9'(is_flash_summed) || (is_write && port == PortFlashOctet && sum_left_q == '0)),
      .octet_i  (word[7:0]),
      .is_busy_o(is_spi_busy),
      .octet_o  (flash_octet),
      .sck_o    (flash_sck_o),
      .mosi_o   (flash_mosi_o),
      .miso_i   (flash_miso_i)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) flash_cs_no <= 1'b1;
    else if (is_write && port == PortFlashSelect && !is_flash_busy) flash_cs_no <= !word[0];
  end

  sync_2ff u_boot_select (
      .clk_i,
      .rst_ni,
      .pin_i  (boot_select_i),
      .level_o(is_boot_select)
  );

  // --- Housekeeping reports -----------------------------------------------------------------------

  logic is_report_read, is_report_open_q, is_report_short_q;
  logic [15:0] report_crc_q, report_crc_next;

  crc16_octet u_report_crc16_octet (
      .crc_i  (report_crc_q),
      .octet_i(report_octet_i),
      .crc_o  (report_crc_next)
  );

  logic is_report_right;

  assign is_report_right = !is_report_open_q && !is_report_short_q && report_crc_q == 16'h0000;
  assign is_report_read = is_read && port == PortReportOctet;
  assign report_ready_o = is_report_read && is_report_open_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      is_report_open_q  <= 1'b0;
      is_report_short_q <= 1'b0;
      report_crc_q      <= '1;
    end else if (is_write && port == PortReportStart) begin
      is_report_open_q  <= 1'b1;
      is_report_short_q <= 1'b0;
      report_crc_q      <= '1;
    end else begin
      if (report_valid_i && report_ready_o) report_crc_q <= report_crc_next;
      if (report_valid_i && report_ready_o && report_last_i) is_report_open_q <= 1'b0;
      if (is_report_read && !is_report_open_q) is_report_short_q <= 1'b1;
    end
  end

  // --- Alarms -----------------------------------------------------------------------------------

  localparam int unsigned Alarms = 7;
  localparam logic [Alarms-1:0][AddressBits-1:0] AlarmPorts = {
    PortUncorrectable, PortCorrected, PortNoRoom, PortBadLengths, PortBadFrames, PortBreaks, PortLineErrors
  };

  logic [Alarms-1:0] alarms, alarm_takes;
  logic [Alarms-1:0][7:0] alarm_counts;

  assign alarms = {
    is_ram_uncorrectable || program_uncorrectable_i,
    is_ram_corrected || program_corrected_i || is_core_upset,
    is_no_room,
    is_bad_length,
    is_bad_frame,
    is_break,
    is_framing_error && !is_break
  };

  for (genvar index = 0; index < Alarms; index++) begin : gen_alarm
    assign alarm_takes[index] = is_read && port == AlarmPorts[index];

    event_counter #(
        .Width(8)
    ) u_count (
        .clk_i,
        .rst_ni,
        .clear_i(alarm_takes[index]),
        .event_i(alarms[index]),
        .count_o(alarm_counts[index])
    );
  end

  // --- Watchdog ---------------------------------------------------------------------------------

  localparam int unsigned WatchdogBits = $clog2(WatchdogMs + 1);

  logic [WatchdogBits-1:0] watchdog_q;
  logic was_watchdog_q;

  logic is_waiting_for_line;

  assign is_waiting_for_line = is_write && port inside {PortTxOctet, PortTxWord, PortTxEnd} && !is_tx_ready;
  assign is_watchdog_over = watchdog_q >= WatchdogBits'(WatchdogMs);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      watchdog_q     <= '0;
      was_watchdog_q <= 1'b0;
    end else begin
      if (is_watchdog_over || (is_write && port == PortWatchdog)) watchdog_q <= '0;
      else watchdog_q <= watchdog_q + WatchdogBits'(is_millisecond && !is_waiting_for_line);
      was_watchdog_q <= is_watchdog_over || (was_watchdog_q && !(is_read && port == PortRestartCause));
    end
  end

  // --- Warm boot of the FPGA --------------------------------------------------------------------

  localparam logic [10:0] WarmBootKey = 11'h52d;

  if (WarmBoot) begin : gen_warm_boot
    logic unused_upset;

    tmr_reg #(
        .Width     (5),
        .Triplicate(Triplicate)
    ) u_warm_boot (
        .clk_i,
        .rst_ni,
        .write_i  (is_write && port == PortWarmBoot && word[15:5] == WarmBootKey),
        .d_i      (word[4:0]),
        .witness_i('0),
        .q_o      ({warm_boot_o, warm_boot_slot_o}),
        .upset_o  (unused_upset)
    );
  end else begin : gen_no_warm_boot
    assign warm_boot_o      = 1'b0;
    assign warm_boot_slot_o = '0;
  end

  assign restart_o = (is_write && port == PortRestart) && word == RestartWord;

  // --- What the program reads -------------------------------------------------------------------

  always_comb begin
    is_step_done = 1'b1;
    port_word    = '0;
    unique case (port)
      PortRxTake: begin
        is_step_done = is_rx_checked;
        port_word    = {15'd0, is_rx_good};
      end
      PortRxAvailable:  port_word = {15'd0, is_rx_available};
      PortRxOctet:      port_word = {8'd0, rx_octet};
      PortRxWord:       port_word = {first_octet_q, rx_octet};
      PortRxLength:     port_word = 16'(rx_length);
      PortTxOctet, PortTxWord, PortTxEnd: is_step_done = is_tx_ready;
      PortTxRaw:        is_step_done = is_line_ready && !is_line_valid;
      PortTxRoom:       port_word = 16'(tx_room);
      PortTxIdle:       port_word = {15'd0, is_line_ready && !is_line_valid};
      PortTimeHigh:     port_word = coarse_q[31:16];
      PortTimeLow:      port_word = coarse_q[15:0];
      PortTimeFine:     port_word = fine_q;
      PortMilliseconds: port_word = {8'd0, milliseconds};
      PortWake:         is_step_done = is_rx_available || milliseconds != '0 || alarm_counts != '0;
      PortBusHigh:      port_word = bus_data_q[31:16];
      PortBusLow:       port_word = bus_data_q[15:0];
      PortBusRead, PortBusWrite: begin
        is_step_done = is_bus_done;
        port_word    = {15'd0, apb_pslverr_i};
      end
      PortCrc:          port_word = crc_q;
      PortBuild:        port_word = BuildId[63:48];
      PortBuild + 11'd1: port_word = BuildId[47:32];
      PortBuild + 11'd2: port_word = BuildId[31:16];
      PortBuild + 11'd3: port_word = BuildId[15:0];
      PortAlarmsPending:       port_word = {15'd0, |alarm_counts};
      PortCrc32High:    port_word = ~crc32_q[31:16];
      PortCrc32Low:     port_word = ~crc32_q[15:0];
      PortMemoryOctet: begin
        is_step_done = memory_ready_i;
        port_word    = {8'd0, memory_octet_i};
      end
      PortMemoryBroken: port_word = {15'd0, is_memory_broken_q};
      PortFlashSelect, PortFlashSum: is_step_done = !is_flash_busy;
      PortFlashOctet: begin
        is_step_done = !is_flash_busy;
        port_word    = {8'd0, flash_octet};
      end
      PortWarmBoot:     port_word = WarmBoot ? warm_boot_slots_i : '0;
      PortBootSelect:   port_word = {15'd0, is_boot_select};
      PortReportOctet: begin
        is_step_done = report_valid_i || !is_report_open_q;
        port_word    = is_report_open_q ? {8'd0, report_octet_i} : 16'd0;
      end
      PortReportEnd:    port_word = {14'd0, is_report_open_q, is_report_right};
      PortRestartCause: port_word = {14'd0, was_watchdog_q, was_restart_i && !was_watchdog_q};
      default:
      for (int unsigned index = 0; index < Alarms; index++) begin
        if (port == AlarmPorts[index]) port_word = {8'd0, alarm_counts[index]};
      end
    endcase
  end

  assign is_ready = is_step_done && (!is_word || is_second_q);

endmodule

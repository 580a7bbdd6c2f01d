# SPDX-License-Identifier: Apache-2.0
"""Names that become identifiers in SystemVerilog, SystemRDL, C and Python at once."""

import keyword
import re

PATTERN = r"^[a-z][a-z0-9_]*$"
LONGEST = 40  # Prefix, name and suffix together stay readable, and below every tool's limit.

# IEEE 1800-2017, Annex B, table B.1.
_SYSTEMVERILOG = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before
begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class
clocking cmos config const constraint context continue cover covergroup coverpoint cross deassign
default defparam design disable dist do edge else end endcase endchecker endclass endclocking
endconfig endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram
endproperty endsequence endspecify endtable endtask enum event eventually expect export extends
extern final first_match for force foreach forever fork forkjoin function generate genvar global
highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include
initial inout input inside instance int integer interconnect interface intersect join join_any
join_none large let liblist library local localparam logic longint macromodule matches medium
modport module nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1 null or
output package packed parameter pmos posedge primitive priority program property protected pull0
pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence
rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0
rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal
showcancelled signed small soft solve specify specparam static string strong strong0 strong1 struct
super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time
timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union
unique unique0 unsigned until until_with untyped use uwire var vectored virtual void wait wait_order
wand weak weak0 weak1 while wildcard wire with within wor xnor xor
"""
# SystemRDL 2.0, clause 4.4, table 2.
_SYSTEMRDL = """
abstract accesstype addressingtype addrmap alias all bit boolean bothedge component componentwidth
constraint default encode enum external false field inside internal level longint mem na negedge
nonsticky number onreadtype onwritetype posedge property r rclr ref reg regfile rset ruser rw rw1
signal string struct this true type unsigned w w1 wclr woclr woset wot wr wset wuser wzc wzs wzt
"""
# ISO/IEC 9899:2011, 6.4.1, and what C++ adds (a C header is read by both).
_C = """
alignas alignof and asm auto bool break case catch char class const constexpr continue default
delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline
int long main mutable namespace new noexcept nullptr operator private protected public register
reinterpret_cast restrict return short signed sizeof static static_assert static_cast struct switch
template this throw true try typedef typeid typename union unsigned using virtual void volatile
wchar_t while
"""
# Rails become keyword arguments of `construct.Enum(subcon, ...)` in telemetry.py.
_CONSTRUCT = ("self", "subcon")
_RESERVED = {
    word: language
    for language, words in (
        ("construct", _CONSTRUCT),
        ("Python", [word.lower() for word in keyword.kwlist]),
        ("C", _C.split()),
        ("SystemRDL", _SYSTEMRDL.split()),
        ("SystemVerilog", _SYSTEMVERILOG.split()),
    )
    for word in words
}


def check_identifier(name: str) -> str:
    """Return `name`, or raise `ValueError` saying why it cannot be used in generated code."""
    if not re.match(PATTERN, name, re.ASCII) or name.endswith("\n"):
        right = sanitised(name)
        raise ValueError(
            f"{name!r} is no name: a-z, 0-9 and _ only, a letter first; for example {right!r}"
        )
    if len(name) > LONGEST:
        raise ValueError(f"{name!r} has {len(name)} letters; at most {LONGEST}")
    if language := _RESERVED.get(name):
        raise ValueError(f"{name!r} is a reserved word of {language}; for example {name + '_0'!r}")
    return name


def sanitised(text: str) -> str:
    """Return the nearest usable name: "My Payload-2" gives "my_payload_2"."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:LONGEST]
    if not name:
        return "payload"
    if not name[0].isalpha():
        name = f"p_{name}"[:LONGEST]
    return f"{name}_0" if name in _RESERVED else name

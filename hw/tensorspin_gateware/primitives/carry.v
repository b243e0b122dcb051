// Two places of a carry chain, for ECP5. The first pair of a chain ignores its carry in, and nothing
// uses the carry out of the last. Yosys would connect both, for which nextpnr takes two more cells a
// chain; so synthesis sees a black box, and this is mapped afterwards. With LOOSE_ENDS defined, as
// nextpnr needs it, both are left undefined. Simulators do not take that.
module CARRY_PAIR(
    input CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output S0, S1, COUT
);
    parameter [15:0] INIT0 = 0;
    parameter [15:0] INIT1 = 0;
    parameter [0:0] FIRST = 0;
    parameter [0:0] LAST = 0;

`ifdef LOOSE_ENDS
    localparam CARRY_IN = 1'bx;
    `define CARRY_OUT 1'bx
`else
    localparam CARRY_IN = 1'b1;
    `define CARRY_OUT COUT
`endif
    generate
        if (FIRST) begin
            CCU2C #(.INIT0(INIT0), .INIT1(INIT1), .INJECT1_0("NO"), .INJECT1_1("NO"))
            _TECHMAP_REPLACE_ (
                .CIN(CARRY_IN), .S0(S0), .S1(S1), .COUT(COUT),
                .A0(A0), .B0(B0), .C0(C0), .D0(D0), .A1(A1), .B1(B1), .C1(C1), .D1(D1)
            );
        end else if (LAST) begin
            CCU2C #(.INIT0(INIT0), .INIT1(INIT1), .INJECT1_0("NO"), .INJECT1_1("NO"))
            _TECHMAP_REPLACE_ (
                .CIN(CIN), .S0(S0), .S1(S1), .COUT(`CARRY_OUT),
                .A0(A0), .B0(B0), .C0(C0), .D0(D0), .A1(A1), .B1(B1), .C1(C1), .D1(D1)
            );
        end else begin
            CCU2C #(.INIT0(INIT0), .INIT1(INIT1), .INJECT1_0("NO"), .INJECT1_1("NO"))
            _TECHMAP_REPLACE_ (
                .CIN(CIN), .S0(S0), .S1(S1), .COUT(COUT),
                .A0(A0), .B0(B0), .C0(C0), .D0(D0), .A1(A1), .B1(B1), .C1(C1), .D1(D1)
            );
        end
    endgenerate
endmodule

// Simulation models of the ECP5 cells that the gateware uses and Yosys knows as black boxes only.
//
// They are not the vendor's, and cover no more than what is used here: any other setting of a
// parameter stops the compiler. Written from Lattice's "ECP5 and ECP5-5G sysDSP Usage Guide"
// (FPGA-TN-02205), "ECP5 and ECP5-5G Memory User Guide" (FPGA-TN-02204), and, for the mapping of
// widths and byte enables to a block RAM's ports, Yosys' share/lattice/brams_map_16kd.v.

// Signed or unsigned product, with registers for both factors and for the product.
module MULT18X18D (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input CLK0, CE0, RST0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
    parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
    parameter REG_INPUTC_CLK = "NONE", REG_INPUTC_CE = "CE0", REG_INPUTC_RST = "RST0";
    parameter REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0";
    parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";
    parameter CLK0_DIV = "ENABLED", CLK1_DIV = "ENABLED", CLK2_DIV = "ENABLED";
    parameter CLK3_DIV = "ENABLED", HIGHSPEED_CLK = "NONE", GSR = "ENABLED";
    parameter CAS_MATCH_REG = "FALSE", SOURCEB_MODE = "B_SHIFT", MULT_BYPASS = "DISABLED";
    parameter RESETMODE = "SYNC";

    generate
        if (REG_INPUTA_CLK != "CLK0" || REG_INPUTB_CLK != "CLK0" || REG_OUTPUT_CLK != "CLK0"
            || REG_INPUTC_CLK != "NONE" || REG_PIPELINE_CLK != "NONE"
            || REG_INPUTA_CE != "CE0" || REG_INPUTB_CE != "CE0" || REG_OUTPUT_CE != "CE0"
            || REG_INPUTA_RST != "RST0" || REG_INPUTB_RST != "RST0" || REG_OUTPUT_RST != "RST0")
            $fatal(1, "MULT18X18D: factors and product must be registered, by CLK0, CE0, RST0");
        if (HIGHSPEED_CLK != "NONE" || CAS_MATCH_REG != "FALSE" || SOURCEB_MODE != "B_SHIFT"
            || MULT_BYPASS != "DISABLED" || RESETMODE != "SYNC" || GSR != "DISABLED"
            || CLK0_DIV != "ENABLED")
            $fatal(1, "MULT18X18D: this mode is not modelled");
    endgenerate
    always @(posedge CLK0)
        if (SOURCEA || SOURCEB) $fatal(1, "MULT18X18D: the shift registers are not modelled");

    // One bit more than a factor has, so that both signed and unsigned ones fit.
    reg signed [18:0] a, b;
    reg signed [37:0] p;
    wire [17:0] a_in = {
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
    };
    wire [17:0] b_in = {
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
    };
    initial {a, b, p} = 0;
    always @(posedge CLK0)
        if (RST0) begin
            a <= 0;
            b <= 0;
            p <= 0;
        end else if (CE0) begin
            a <= {SIGNEDA & A17, a_in};
            b <= {SIGNEDB & B17, b_in};
            p <= a * b;
        end
    assign {
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
        P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
    } = p[35:0];
endmodule

// True dual-port RAM of 1024 words of two 9-bit bytes, read as words, bytes or parts of a byte, or,
// with the first port for writing and the second for reading, as double words. What one port reads
// while the other writes it is not specified: the model gives the old bits inverted.
module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "ENABLED";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
    parameter [319:0]
        INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0, INITVAL_05 = 0,
        INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0,
        INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0, INITVAL_11 = 0,
        INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0,
        INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0, INITVAL_1C = 0, INITVAL_1D = 0,
        INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0,
        INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0, INITVAL_29 = 0,
        INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0,
        INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0,
        INITVAL_36 = 0, INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
        INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

    generate
        if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG"
            || CSDECODE_A != "0b000" || CSDECODE_B != "0b000"
            || CLKAMUX != "CLKA" || CLKBMUX != "CLKB" || (DATA_WIDTH_B == 36 && DATA_WIDTH_A != 36))
            $fatal(1, "DP16KD: this mode is not modelled");
    endgenerate
    always @(posedge CLKA)
        if (RSTA || RSTB) $fatal(1, "DP16KD: resets are not modelled");

    wire [13:0] address_A = {
        ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
    };
    wire [17:0] in_A = {
        DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0
    };
    wire selected_A = CEA & ~CSA0 & ~CSA1 & ~CSA2;
    reg [17:0] out_A;
    assign {
        DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
        DOA3, DOA2, DOA1, DOA0
    } = out_A;
    wire [13:0] address_B = {
        ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
    };
    wire [17:0] in_B = {
        DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
        DIB3, DIB2, DIB1, DIB0
    };
    wire selected_B = CEB & ~CSB0 & ~CSB1 & ~CSB2;
    reg [17:0] out_B;
    assign {
        DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
        DOB3, DOB2, DOB1, DOB0
    } = out_B;

    reg [17:0] words [0:1023];
    wire [64 * 320 - 1:0] initial_values = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
        INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
        INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
        INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
    };
    integer index;
    initial begin
        {out_A, out_B} = 0;
        for (index = 0; index < 1024; index = index + 1)
            words[index] = initial_values[20 * index +: 18];
    end

    // The bits of a word that an access means: lowest bit, and mask of the bits from there on.
    function automatic [4:0] lowest(input integer width, input [13:0] address);
        case (width)
            1: lowest = 9 * address[3] + address[2:0];
            2: lowest = 9 * address[3] + 2 * address[2:1];
            4: lowest = 9 * address[3] + 4 * address[2];
            9: lowest = 9 * address[3];
            default: lowest = 0;
        endcase
    endfunction
    function automatic [17:0] mask(input integer width, input [13:0] address, input write);
        if (width < 18) mask = ((18'd1 << width) - 18'd1) << lowest(width, address);
        else if (write) mask = {{9{address[1]}}, {9{address[0]}}};
        else mask = {18{1'b1}};
    endfunction

    wire [9:0] word_A = address_A[13:4];
    wire [4:0] lowest_A = lowest(DATA_WIDTH_A, address_A);
    wire [17:0] read_mask_A = mask(DATA_WIDTH_A, address_A, 0);
    wire [17:0] write_mask_A =
        mask(DATA_WIDTH_A, address_A, 1) & {18{selected_A && WEA}};
    wire [17:0] old_A = words[word_A] ^ (word_A == word_B ? write_mask_B : 18'd0);
    wire [17:0] new_A = (words[word_A] & ~write_mask_A) | ((in_A << lowest_A) & write_mask_A);
    wire [17:0] seen_A = (WRITEMODE_A == "WRITETHROUGH") ? new_A : old_A;
    wire [9:0] word_B = address_B[13:4];
    wire [4:0] lowest_B = lowest(DATA_WIDTH_B, address_B);
    wire [17:0] read_mask_B = mask(DATA_WIDTH_B, address_B, 0);
    wire [17:0] write_mask_B =
        mask(DATA_WIDTH_B, address_B, 1) & {18{selected_B && WEB}};
    wire [17:0] old_B = words[word_B] ^ (word_B == word_A ? write_mask_A : 18'd0);
    wire [17:0] new_B = (words[word_B] & ~write_mask_B) | ((in_B << lowest_B) & write_mask_B);
    wire [17:0] seen_B = (WRITEMODE_B == "WRITETHROUGH") ? new_B : old_B;

    generate
        if (DATA_WIDTH_A == 36) begin : double_words
            wire [9:0] low = {address_A[13:5], 1'b0};
            wire [9:0] high = {address_A[13:5], 1'b1};
            wire [3:0] write = address_A[3:0] & {4{selected_A && WEA}};
            wire [35:0] double_mask =
                {{9{write[3]}}, {9{write[2]}}, {9{write[1]}}, {9{write[0]}}};
            wire [35:0] collision = address_A[13:5] == address_B[13:5] ? double_mask : 36'd0;
            always @(posedge CLKA) begin
                words[low] <= (words[low] & ~double_mask[17:0]) | (in_A & double_mask[17:0]);
                words[high] <= (words[high] & ~double_mask[35:18]) | (in_B & double_mask[35:18]);
            end
            always @(posedge CLKB)
                if (selected_B) begin
                    if (DATA_WIDTH_B == 36) begin
                        out_A <= words[{address_B[13:5], 1'b0}] ^ collision[17:0];
                        out_B <= words[{address_B[13:5], 1'b1}] ^ collision[35:18];
                    end else
                        out_B <= ((words[word_B] ^ (address_B[4] ? collision[35:18]
                            : collision[17:0])) & read_mask_B) >> lowest_B;
                end
        end else begin : ports
            always @(posedge CLKA)
                if (selected_A) begin
                    if (WEA) words[word_A] <= new_A;
                    if (!WEA || WRITEMODE_A != "NORMAL")
                        out_A <= (seen_A & read_mask_A) >> lowest_A;
                end
            always @(posedge CLKB)
                if (selected_B) begin
                    if (WEB) words[word_B] <= new_B;
                    if (!WEB || WRITEMODE_B != "NORMAL")
                        out_B <= (seen_B & read_mask_B) >> lowest_B;
                end
        end
    endgenerate
endmodule

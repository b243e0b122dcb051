/* The FPGA's bitstream, as it is in the file that BITSTREAM names. */
    .section .rodata
    .global bitstream, bitstream_end
bitstream:
    .incbin BITSTREAM
bitstream_end:

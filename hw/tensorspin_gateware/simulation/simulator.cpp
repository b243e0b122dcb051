// A component with a byte stream in and a byte stream out, as a shared library.
//
// All of the clock loop stands here: one call from Python runs many cycles.
//
// Verilator writes "__" in a name as "___05F", hence `rx___05Fpayload` for the port `rx__payload`.

#include <cstddef>
#include <cstdint>

#include "Vsimulated.h"
#include "verilated.h"

namespace {

constexpr int RESET_CYCLES = 4;
constexpr uint8_t DELIMITER = 0;  // tensorspin.contract.wire.cobs.DELIMITER

class Simulation {
public:
    Simulation() : top_(&context_, "") {
        top_.rst = 1;
        for (int cycle = 0; cycle < RESET_CYCLES; ++cycle) {
            settle();
            edge();
        }
        top_.rst = 0;
    }

    ~Simulation() { top_.final(); }

    uint64_t run(uint64_t max_cycles, const uint8_t *in, size_t in_length, size_t *accepted,
                 uint8_t *out, size_t out_capacity, size_t *out_length, bool stop_on_delimiter) {
        size_t read = 0;
        size_t written = 0;
        uint64_t cycles = 0;
        bool stop = false;
        while (!stop && cycles < max_cycles) {
            top_.rx___05Fvalid = read < in_length;
            top_.rx___05Fpayload = read < in_length ? in[read] : 0;
            top_.tx___05Fready = written < out_capacity;
            settle();
            if (top_.rx___05Fvalid && top_.rx___05Fready) {
                ++read;
            }
            if (top_.tx___05Fvalid && top_.tx___05Fready) {
                stop = stop_on_delimiter && top_.tx___05Fpayload == DELIMITER;
                out[written++] = top_.tx___05Fpayload;
            }
            edge();
            ++cycles;
        }
        *accepted = read;
        *out_length = written;
        return cycles;
    }

private:
    void settle() {
        top_.clk = 0;
        top_.eval();
    }

    void edge() {
        top_.clk = 1;
        top_.eval();
    }

    VerilatedContext context_;
    Vsimulated top_;
};

}  // namespace

extern "C" {

void *simulation_create() { return new Simulation; }

void simulation_destroy(void *handle) { delete static_cast<Simulation *>(handle); }

// Runs until `max_cycles` have passed or, if asked to, a delimiter was received. When the output
// is full, the component is stalled as by a slow line, and no byte is lost.
uint64_t simulation_run(void *handle, uint64_t max_cycles, const uint8_t *in, size_t in_length,
                        size_t *accepted, uint8_t *out, size_t out_capacity, size_t *out_length,
                        int stop_on_delimiter) {
    return static_cast<Simulation *>(handle)->run(max_cycles, in, in_length, accepted, out,
                                                  out_capacity, out_length, stop_on_delimiter != 0);
}

}  // extern "C"

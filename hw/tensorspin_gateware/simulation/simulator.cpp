// A component with a byte stream in (rx) and a byte stream out (tx), as a shared library with a C
// interface, which Python calls through ctypes (simulator.py).
//
// The loop over clock cycles is here, not in Python, so that one call runs many cycles: a call from
// Python costs far more than a cycle does.
//
// A stream transfers a byte in each cycle in which both `valid` (set by the sender) and `ready`
// (set by the receiver) are high. Verilator writes "__" in a name as "___05F", hence
// `rx___05Fpayload` for the port `rx__payload`.

#include <cstddef>
#include <cstdint>

#include "Vsimulated.h"
#include "verilated.h"

namespace {

// The byte that ends a frame: tensorspin.contract.wire.cobs.DELIMITER.
constexpr uint8_t DELIMITER = 0;

class Simulation {
public:
    Simulation() : top_(&context_, "") {}

    virtual ~Simulation() { top_.final(); }

    // See simulation_run below; returns the number of cycles that have passed.
    uint64_t run(uint64_t max_cycles, const uint8_t *in, size_t in_length, size_t *accepted,
                 uint8_t *out, size_t out_capacity, size_t *out_length, bool stop_on_delimiter) {
        size_t read = 0;
        size_t written = 0;
        uint64_t cycles = 0;
        bool stop = false;
        while (!stop && cycles < max_cycles) {
            // Offer the next byte, and take one if there is room for it ...
            top_.rx___05Fvalid = read < in_length;
            top_.rx___05Fpayload = read < in_length ? in[read] : 0;
            top_.tx___05Fready = written < out_capacity;
            // ... and see, with all combinational logic settled, what the clock edge will transfer.
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

protected:
    // Falling clock edge: evaluates the combinational logic for the new inputs.
    void settle() {
        top_.clk = 0;
        top_.eval();
    }

    // Rising clock edge: all registers take their next values.
    virtual void edge() {
        top_.clk = 1;
        top_.eval();
    }

    // A context of its own keeps simulations in the same process independent of each other.
    VerilatedContext context_;
    Vsimulated top_;
};

}  // namespace

extern "C" {

// Makes a component as its reset leaves it; `simulation_destroy` frees it.
void *simulation_create() { return new Simulation; }

void simulation_destroy(void *handle) { delete static_cast<Simulation *>(handle); }

// Runs until `max_cycles` have passed or, if `stop_on_delimiter`, the component has sent a
// delimiter. Offers the `in_length` bytes of `in` one after the other and stores the number of
// those taken in `accepted`. Stores what the component sends in `out`, and its length in
// `out_length`. When `out` is full, the component has to wait, as for a slow line, and no byte is
// lost. Returns the number of cycles that have passed.
uint64_t simulation_run(void *handle, uint64_t max_cycles, const uint8_t *in, size_t in_length,
                        size_t *accepted, uint8_t *out, size_t out_capacity, size_t *out_length,
                        int stop_on_delimiter) {
    return static_cast<Simulation *>(handle)->run(max_cycles, in, in_length, accepted, out,
                                                  out_capacity, out_length, stop_on_delimiter != 0);
}

}  // extern "C"

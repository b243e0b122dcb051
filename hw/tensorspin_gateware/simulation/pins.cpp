// A component behind an SPI target's pins, as a shared library with a C interface, which Python
// calls through ctypes (pins.py), and C programs directly.
//
// There are two clocks, that of the component (clk) and that of the controller (SCK), and time is
// counted in picoseconds. A call moves whole bytes, since a call from Python costs far more than a
// bit does. Wires are ideal: they have no delay, and no register is ever metastable.

#include <cstddef>
#include <cstdint>

#include "Vsimulated.h"
#include "verilated.h"

namespace {

constexpr double PICOSECONDS = 1e12;

class Simulation {
public:
    Simulation(double clock_hz, double sck_hz)
        : half_clock_(PICOSECONDS / 2 / clock_hz + .5), half_sck_(PICOSECONDS / 2 / sck_hz + .5),
          next_edge_(half_clock_), top_(&context_, "") {
        top_.cs_n = 1;
        top_.eval();
    }

    ~Simulation() { top_.final(); }

    // Lets time pass until `end`, or until the interrupt is high if `stop_on_irq`.
    void run(uint64_t duration, bool stop_on_irq) {
        const uint64_t end = now_ + duration;
        while (now_ < end && !(stop_on_irq && top_.irq)) {
            advance((next_edge_ < end ? next_edge_ : end) - now_);
        }
    }

    void select(bool selected) {
        top_.cs_n = !selected;
        top_.eval();
        advance(half_sck_);
    }

    // Exchanges bits, highest first, in mode 0: both sides look when SCK rises. Fewer than eight
    // bits are the highest ones of a byte. If `early`, CS# ends before SCK has fallen after the
    // lowest bit.
    uint8_t transfer(uint8_t out, int bits = 8, bool early = false) {
        uint8_t in = 0;
        for (int bit = 7; bit > 7 - bits; --bit) {
            top_.copi = out >> bit & 1;
            top_.eval();
            advance(half_sck_);
            in |= top_.cipo << bit;
            top_.sck = 1;
            top_.eval();
            advance(half_sck_);
            if (early && bit == 0) {
                top_.cs_n = 1;
                top_.eval();
            }
            top_.sck = 0;
            top_.eval();
        }
        return in;
    }

    bool irq() const { return top_.irq; }
    uint64_t now() const { return now_; }

private:
    // Lets time pass; the pins stay as they are.
    void advance(uint64_t duration) {
        const uint64_t end = now_ + duration;
        while (next_edge_ <= end) {
            top_.clk = !top_.clk;
            top_.eval();
            now_ = next_edge_;
            next_edge_ += half_clock_;
        }
        now_ = end;
    }

    const uint64_t half_clock_, half_sck_;
    uint64_t now_ = 0, next_edge_;
    // A context of its own keeps simulations in the same process independent of each other.
    VerilatedContext context_;
    Vsimulated top_;
};

Simulation *of(void *handle) { return static_cast<Simulation *>(handle); }

}  // namespace

extern "C" {

// Makes a component as its reset leaves it; `pins_destroy` frees it. Frequencies are in Hz.
void *pins_create(double clock_hz, double sck_hz) { return new Simulation(clock_hz, sck_hz); }

void pins_destroy(void *handle) { delete of(handle); }

// Sets CS# low (`selected`) or high, and lets half a period of SCK pass.
void pins_select(void *handle, int selected) { of(handle)->select(selected != 0); }

// Sends `length` bytes of `out`, and stores as many that come back in `in`.
void pins_transfer(void *handle, const uint8_t *out, uint8_t *in, size_t length) {
    for (size_t index = 0; index < length; ++index) {
        in[index] = of(handle)->transfer(out[index]);
    }
}

// Sends the `bits` highest bits of a byte, at most eight; returns those that came back.
uint8_t pins_transfer_bits(void *handle, uint8_t out, int bits) {
    return of(handle)->transfer(out, bits);
}

// Sends a byte and ends the transaction, CS# before SCK's last fall; returns the byte that came back.
uint8_t pins_transfer_early(void *handle, uint8_t out) {
    const uint8_t in = of(handle)->transfer(out, 8, true);
    of(handle)->select(false);
    return in;
}

// The level of the interrupt pin.
int pins_irq(void *handle) { return of(handle)->irq(); }

// Lets `duration` picoseconds pass, or fewer if the interrupt is high before, or from the start.
void pins_wait_for_irq(void *handle, uint64_t duration) { of(handle)->run(duration, true); }

// Lets `duration` picoseconds pass.
void pins_wait(void *handle, uint64_t duration) { of(handle)->run(duration, false); }

// Picoseconds since the component was made.
uint64_t pins_now(void *handle) { return of(handle)->now(); }

}  // extern "C"

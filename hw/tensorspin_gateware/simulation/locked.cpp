// The simulation of simulator.cpp, of a device that takes its key from a port: so neither the design
// nor the compiled library holds one.

#include "simulator.cpp"

namespace {

class LockedSimulation : public Simulation {
public:
    // Sets the port `key` to bytes, the lowest first.
    LockedSimulation(const uint8_t *record, size_t length) {
        for (size_t byte = 0; byte < length; ++byte) {
            top_.key[byte / 4] |= static_cast<uint32_t>(record[byte]) << byte % 4 * 8;
        }
    }
};

}  // namespace

extern "C" void *locked_create(const uint8_t *record, size_t length) {
    return static_cast<Simulation *>(new LockedSimulation(record, length));
}

// The simulation of simulator.cpp, which also counts how often each signal changes its level.
//
// Verilator reports all changes of signals in the text format VCD. Nothing is written to a file: the
// text is read here as it comes, and each bit that differs from the cycle before counts as a toggle.

#include <cstring>
#include <string>
#include <unordered_map>

#include "simulator.cpp"
#include "verilated_vcd_c.h"

namespace {

class Counter : public VerilatedVcdFile {
public:
    bool open(const std::string &) override { return true; }
    void close() override {}

    ssize_t write(const char *text, ssize_t length) override {
        for (const char *end = text + length, *at = text; at != end;) {
            const char *stop = static_cast<const char *>(memchr(at, '\n', end - at));
            line_.append(at, stop ? stop : end);
            if (!stop) {
                break;
            }
            take_line();
            line_.clear();
            at = stop + 1;
        }
        return length;
    }

    bool counting = false;
    std::string header;  // the declarations of all signals
    std::unordered_map<std::string, uint64_t> toggles;  // by the signal's code in the header

private:
    void take_line() {
        if (declaring_) {
            header += line_ + '\n';
            declaring_ = line_.find("$enddefinitions") == std::string::npos;
            return;
        }
        if (line_.empty() || line_[0] == '#') {
            return;
        }
        // "1code" for a bit, "b0101 code" for several.
        const size_t begin = line_[0] == 'b', space = line_.find(' ');
        const size_t end = begin ? space : 1;
        const std::string code = line_.substr(begin ? space + 1 : 1);
        std::string &level = levels_[code];
        if (counting) {
            uint64_t &count = toggles[code];
            for (size_t bit = begin; bit < end; ++bit) {
                count += line_[bit] != level[bit - begin];
            }
        }
        level.assign(line_, begin, end - begin);
    }

    bool declaring_ = true;
    std::string line_;
    std::unordered_map<std::string, std::string> levels_;
};

class CountedSimulation : public Simulation {
public:
    CountedSimulation() {
        context_.traceEverOn(true);
        top_.trace(&trace_, 99);
        trace_.open("counter");
    }

    // Begins or ends a count; the counts of before are kept until the next one begins.
    void count(bool on) {
        if (on) {
            settle();  // before the first cycle, levels are not those of the initial values yet
            trace_.dump(time_++);
            trace_.flush();
            counter_.toggles.clear();
        } else {
            trace_.flush();
        }
        counter_.counting = on;
    }

    // One line for each signal: its code and its toggles; before them the header.
    const char *report() {
        report_ = counter_.header;
        for (const auto &[code, count] : counter_.toggles) {
            report_ += code + ' ' + std::to_string(count) + '\n';
        }
        return report_.c_str();
    }

protected:
    void edge() override {
        Simulation::edge();
        if (counter_.counting) {
            trace_.dump(time_++);
        }
    }

private:
    Counter counter_;
    VerilatedVcdC trace_{&counter_};
    uint64_t time_ = 0;
    std::string report_;
};

CountedSimulation *counted(void *handle) {
    return static_cast<CountedSimulation *>(static_cast<Simulation *>(handle));
}

}  // namespace

extern "C" {

// As simulation_create; all other functions take its handle, too.
void *activity_create() { return static_cast<Simulation *>(new CountedSimulation); }

// Begins (`on`) or ends a count of toggles.
void activity_count(void *handle, int on) { counted(handle)->count(on != 0); }

// The declarations of all signals as VCD has them, then a line "code toggles" for each signal that
// was seen to change; valid until the next call.
const char *activity_report(void *handle) { return counted(handle)->report(); }

}  // extern "C"

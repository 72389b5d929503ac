// The floor of an operation ledger: what a slab of records and a ring of packets cost per operation, without a kernel, a buffer or a
// task. An operation is prepared, submitted, posted, settled, and its result is taken in its completion callback; a turn does DEPTH of
// them, first all submissions, then all packets. Where the real thing has a module boundary the function is `noipa`, which is noinline
// and also keeps the compiler from knowing the callee's body. Every check of the real thing that a release build keeps is here, too.
#include "common.h"

#include <stdbool.h>
#include <stddef.h>

#define MODULE_BOUNDARY __attribute__((noipa))

// Stands for the OVERLAPPED: 32 bytes that the kernel may write to between submission and packet.
struct control_block {
    uint64_t words[4];
};

enum state { state_free, state_prepared, state_submitted, state_completed };

struct identifier {
    uint32_t index;
    uint64_t generation;
};

struct completion {
    int32_t status;
    uint32_t bytes;
    uint64_t tag;
};

typedef void completion_callback(void *context, struct identifier identifier);

// The control block comes first, so that the address in a packet is the address of the record. The alignment to two cache lines keeps
// records from sharing one and makes the check of an address a mask.
struct record {
    _Alignas(128) struct control_block control_block;
    uint64_t generation;
    uint64_t tag;
    completion_callback *callback;
    void *context;
    uint32_t handle;
    uint32_t next_free;
    int32_t status;
    uint32_t bytes;
    uint8_t state;
};
_Static_assert(offsetof(struct record, control_block) == 0, "a packet's address is a record's address");

// The free list is first in, first out: an address rests as long as possible, so that a late packet finds a free record.
struct ledger {
    struct record *records;
    uint32_t record_count;
    uint32_t first_free;
    uint32_t last_free;
    uint32_t in_flight;
};

struct packet {
    struct control_block *control_block;
    int32_t status;
    uint32_t bytes;
};

// Positions count up for ever; masked, they are indices.
struct ring {
    struct packet *packets;
    uint32_t mask;
    uint32_t read_position;
    uint32_t write_position;
};

static const uint32_t no_record = UINT32_MAX;

MODULE_BOUNDARY static struct identifier prepare(
    struct ledger *ledger, uint32_t handle, uint64_t tag, completion_callback *callback, void *context, struct control_block **block) {
    uint32_t index = ledger->first_free;
    if (index == no_record) {
        die("prepare expects a free record, but all %u are in flight.", ledger->record_count);
    }
    struct record *record = &ledger->records[index];
    ledger->first_free = record->next_free;
    if (ledger->first_free == no_record) {
        ledger->last_free = no_record;
    }
    ledger->in_flight++;
    memset(&record->control_block, 0, sizeof record->control_block);
    record->generation++;
    record->tag = tag;
    record->callback = callback;
    record->context = context;
    record->handle = handle;
    record->state = state_prepared;
    *block = &record->control_block;
    return (struct identifier){.index = index, .generation = record->generation};
}

static void release(struct ledger *ledger, struct record *record, uint32_t index) {
    record->state = state_free;
    record->generation++;
    record->next_free = no_record;
    if (ledger->last_free == no_record) {
        ledger->first_free = index;
    } else {
        ledger->records[ledger->last_free].next_free = index;
    }
    ledger->last_free = index;
    ledger->in_flight--;
}

static struct record *find(struct ledger *ledger, struct identifier identifier, enum state expected) {
    if (identifier.index >= ledger->record_count) {
        die("The identifier is of another ledger.");
    }
    struct record *record = &ledger->records[identifier.index];
    if (record->generation != identifier.generation) {
        die("The identifier is of generation %lu, but the record is of %lu.", identifier.generation, record->generation);
    }
    if (record->state != expected) {
        die("The operation should be in state %d, but is in %d.", expected, record->state);
    }
    return record;
}

MODULE_BOUNDARY static void submitted(struct ledger *ledger, struct identifier identifier) {
    find(ledger, identifier, state_prepared)->state = state_submitted;
}

MODULE_BOUNDARY static void post(struct ring *ring, struct control_block *block, int32_t status, uint32_t bytes) {
    if (ring->write_position - ring->read_position > ring->mask) {
        die("The ring is full.");
    }
    ring->packets[ring->write_position++ & ring->mask] = (struct packet){.control_block = block, .status = status, .bytes = bytes};
}

MODULE_BOUNDARY static struct completion result(struct ledger *ledger, struct identifier identifier) {
    struct record *record = find(ledger, identifier, state_completed);
    struct completion completion = {.status = record->status, .bytes = record->bytes, .tag = record->tag};
    release(ledger, record, identifier.index);
    return completion;
}

// Generations of taken records are odd, because taking and releasing both count.
static bool is_taken(uint64_t generation) {
    return (generation & 1) == 1;
}

MODULE_BOUNDARY static void settle(struct ledger *ledger, struct packet packet) {
    uintptr_t offset = (uintptr_t)packet.control_block - (uintptr_t)ledger->records;
    uintptr_t index = offset / sizeof(struct record);
    if (index >= ledger->record_count || offset % sizeof(struct record) != 0) {
        die("A packet's address is not in the slab.");
    }
    struct record *record = &ledger->records[index];
    if (!is_taken(record->generation) || record->state != state_submitted) {
        die("A packet's operation should be submitted, but is in state %d.", record->state);
    }
    record->status = packet.status;
    record->bytes = packet.bytes;
    record->state = state_completed;
    record->callback(record->context, (struct identifier){.index = (uint32_t)index, .generation = record->generation});
}

struct adapter {
    struct ledger *ledger;
    uint64_t operations;
    uint64_t tags;
    uint64_t bytes;
};

static void on_completion(void *context, struct identifier identifier) {
    struct adapter *adapter = context;
    struct completion completion = result(adapter->ledger, identifier);
    if (completion.status != 0) {
        die("The operation failed with %d.", completion.status);
    }
    adapter->operations++;
    adapter->tags += completion.tag;
    adapter->bytes += completion.bytes;
}

static void turn(struct adapter *adapter, struct ring *ring, uint64_t depth) {
    for (uint64_t i = 0; i < depth; i++) {
        struct control_block *block = NULL;
        struct identifier identifier = prepare(adapter->ledger, 7, i, on_completion, adapter, &block);
        submitted(adapter->ledger, identifier);
        post(ring, block, 0, (uint32_t)i);
    }
    while (ring->read_position != ring->write_position) {
        settle(adapter->ledger, ring->packets[ring->read_position++ & ring->mask]);
    }
}

static void *allocate(size_t count, size_t bytes) {
    void *memory = aligned_alloc(128, (count * bytes + 127) / 128 * 128);
    if (memory == NULL) {
        die("No memory for %zu elements of %zu bytes.", count, bytes);
    }
    memset(memory, 0, count * bytes);
    return memory;
}

static struct ledger make_ledger(uint32_t record_count) {
    struct ledger ledger = {.record_count = record_count, .last_free = record_count - 1};
    ledger.records = allocate(record_count, sizeof(struct record));
    for (uint32_t i = 0; i < record_count; i++) {
        ledger.records[i].next_free = i + 1 < record_count ? i + 1 : no_record;
    }
    return ledger;
}

static struct ring make_ring(uint32_t packets_min) {
    uint32_t capacity = 1;
    while (capacity < packets_min) {
        capacity *= 2;
    }
    return (struct ring){.packets = allocate(capacity, sizeof(struct packet)), .mask = capacity - 1};
}

int main(int argc, char **argv) {
    if (argc != 3) {
        die("usage: seam OPERATIONS DEPTH");
    }
    uint64_t operations = (uint64_t)parse_number("OPERATIONS", argv[1], 1, INT64_MAX / 2);
    uint64_t depth = (uint64_t)parse_number("DEPTH", argv[2], 1, 1 << 24);
    struct ledger ledger = make_ledger((uint32_t)depth);
    struct ring ring = make_ring((uint32_t)depth);
    struct adapter adapter = {.ledger = &ledger};
    uint64_t turns = (operations + depth - 1) / depth;
    for (uint64_t i = 0; i < turns / 10 + 1; i++) {
        turn(&adapter, &ring, depth);
    }
    adapter = (struct adapter){.ledger = &ledger};
    uint64_t start = now_ns();
    for (uint64_t i = 0; i < turns; i++) {
        turn(&adapter, &ring, depth);
    }
    uint64_t end = now_ns();
    // Tags and byte counts are both 0 to DEPTH - 1 in every turn.
    uint64_t sum = turns * (depth * (depth - 1) / 2);
    if (adapter.operations != turns * depth || adapter.tags != sum || adapter.bytes != sum || ledger.in_flight != 0) {
        die("Operations were lost.");
    }
    printf("operations=%lu ns_per_operation=%.2f\n", adapter.operations, (double)(end - start) / (double)adapter.operations);
}

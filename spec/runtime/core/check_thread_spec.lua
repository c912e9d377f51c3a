-- Each function of quoll.h that the loop's thread alone may call, from another
-- one: a build with QL_CHECKS ends the process, and names it.
local compiled = require "spec.support.compiled"
local foreign = require "spec.support.foreign"

local HEADER = "runtime/quoll.h"

local HEAD = [[
#include <quoll.h>

static char room[65536] __attribute__((aligned(64)));
static ql_loop_t *loop;
static ql_connection_t connection;
static ql_event_t event = {.data = &connection};
static ql_listening_t listening;
static ql_file_t file;
static ql_event_aio_t aio = {.file = &file};
static ql_process_t process;
static ql_watch_t watch;
static ql_keepalive_t keepalive;
static ql_claim_t claim = {.pool = &keepalive};

/* Behind what is public of these there is more. */
static union {
    char room[8192];
    ql_read_t read;
    ql_stream_t stream;
    ql_call_t call;
    ql_open_t open;
    ql_dir_t dir;
    ql_tempfile_t tempfile;
    ql_spawn_t spawn;
} one_read, stream, call, opening, dir, tempfile, spawn;
]]

local OBJECTS = {
    ["ql_loop_t *"] = "loop",
    ["ql_connection_t *"] = "&connection",
    ["ql_event_t *"] = "&event",
    ["ql_listening_t *"] = "&listening",
    ["ql_file_t *"] = "&file",
    ["ql_event_aio_t *"] = "&aio",
    ["ql_read_t *"] = "&one_read.read",
    ["ql_stream_t *"] = "&stream.stream",
    ["ql_call_t *"] = "&call.call",
    ["ql_open_t *"] = "&opening.open",
    ["ql_dir_t *"] = "&dir.dir",
    ["ql_tempfile_t *"] = "&tempfile.tempfile",
    ["ql_spawn_t *"] = "&spawn.spawn",
    ["ql_process_t *"] = "&process",
    ["ql_watch_t *"] = "&watch",
    ["ql_keepalive_t *"] = "&keepalive",
    ["ql_claim_t *"] = "&claim",
    ql_loop_init = false, -- a forked child's own: check_spec
    ql_file_aio_event_handler = false, -- its file, and so its loop, may be gone
}

-- What is called through tables.
local TABLES = {}
for _, io in ipairs { "ql_os_io", "ql_shared_io" } do
    for name, rest in pairs {
        recv = "(void *) room, 1", recv_chain = "(void *) room, 1",
        send = "(void *) room, 1", send_chain = "(void *) room, 1",
        sendfile = "&file, 0, 1",
    } do
        TABLES[#TABLES + 1] = { io .. "." .. name, ("%s.%s(&connection, %s)")
            :format(io, name, rest) }
    end
end
for name, rest in pairs {
    add = "&event, 0, 0", del = "&event, 0, 0", enable = "&event, 0, 0",
    disable = "&event, 0, 0", add_conn = "&connection",
    del_conn = "&connection, 0", process_events = "0, 0", done = "",
} do
    TABLES[#TABLES + 1] = { "ql_epoll_actions." .. name,
        ("ql_epoll_actions.%s(loop%s%s)"):format(name,
            rest ~= "" and ", " or "", rest) }
end

local TAIL = [[
static void
on_posted(ql_event_t *ev)
{
    (void) ev;
    call_all();
    ql_loop_stop(loop);
}

int
main(void)
{
    static ql_event_t posted = {.handler = on_posted};

    loop = ql_loop_create(NULL, NULL);
    connection.loop = listening.loop = file.loop = process.loop = loop;
    connection.listening = &listening;
    watch.loop = keepalive.loop = loop;
    call.call.loop = opening.open.call.loop = spawn.spawn.call.loop = loop;
    dir.dir.p.call.loop = tempfile.tempfile.p.call.loop = loop;
    one_read.read.file = stream.stream.file = &file;
    ql_post_event(loop, &posted);
    if (ql_loop_run(loop) != NGX_OK) {
        return 1;
    }
    ql_loop_destroy(loop);
    return 0;
}
]]

describe("a function of quoll.h", function()
    it("is the loop's thread's, unless it says that it is any's", function()
        local dir = compiled.folder()
        finally(function()
            compiled.remove(dir)
        end)
        compiled.program(dir, "it", HEAD .. foreign.source(HEADER, OBJECTS,
            TABLES) .. TAIL, "-lquoll-test")
        local result = compiled.execute(dir .. "/it")
        local good, bad = foreign.judge(result.out)
        assert.same({}, bad)
        assert.is_true(good > 150, good)
        assert.equal(0, result.code)
    end)

    it("says so where it looks at no loop", function()
        assert.same({ "ql_abi", "ql_conf_create", "ql_conf_describe",
            "ql_conf_flag", "ql_conf_get", "ql_conf_init", "ql_conf_live",
            "ql_conf_set", "ql_epoll_create_conf", "ql_epoll_init_conf",
            "ql_log_debug_by_name", "ql_log_level_by_name", "ql_loop_create",
            "ql_loop_own_thread", "ql_loop_sys", "ql_misuse", "ql_notify",
            "ql_post_from_thread", "ql_sockaddr_parse", "ql_sockaddr_text",
            "ql_version" }, foreign.allowed(HEADER))
    end)
end)

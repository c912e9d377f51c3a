local helper = require "spec.helper"
local ends = require "spec.support.ends"
local files = require "spec.support.files"
local C = helper.C

-- Turns on a category, runs fn, and finds each of the texts in what it said.
local function says(loop, category, fn, texts)
    C.ql_log_set_debug(loop, C.ql_log_debug_by_name(category))
    fn()
    C.ql_log_set_debug(loop, 0)
    local lines = {}
    for _, line in ipairs(helper.log()) do
        lines[#lines + 1] = line.text
    end
    local all = table.concat(lines, "\n")
    for _, text in ipairs(texts) do
        assert.is_truthy(all:find(text), "no line like " .. text .. " in\n"
            .. all)
    end
end

describe("the debug log has nginx's lines:", function()
    it("the epoll set and its events", helper.forked(function()
        local loop = helper.loop()
        C.ql_loop_init(loop)
        says(loop, "event", function()
            local fd, peer = ends.pair()
            local c = ends.connection(loop, fd, function() end)
            local ev = c.read
            loop.actions.add(loop, ev, C.QL_READ_EVENT, helper.CLEAR_EVENT)
            loop.actions.del(loop, ev, C.QL_READ_EVENT, 0)
            loop.actions.add_conn(loop, c)
            ends.close(peer)
            C.ql_process_events_and_timers(loop, 0)
            loop.actions.del_conn(loop, c, 0)
            C.ql_close_connection(c)
        end, {
            "epoll add event: fd:%d+ op:1 ev:%x+",
            "epoll del event: fd:%d+ op:2 ev:00000000",
            "epoll add connection: fd:%d+ op:1 ev:%x+",
            "epoll del connection: fd:%d+ op:2 ev:00000000",
            "epoll timer: 0", "epoll: fd:%d+ ev:%x+",
            "epoll_wait%(%) error on fd:%d+ ev:%x+",
        })
    end))

    it("the AIO bridge", helper.forked(function()
        local loop = helper.loop()
        C.ql_loop_init(loop)
        local path = files.make(files.bytes(8192))
        local file = C.ql_file_open(loop, path, C.QL_FILE_DIRECT)
        local read = C.ql_read_create(file, 4096, 0)
        says(loop, "aio", function()
            helper.run_until(loop, function()
                return C.ql_read_attempt(read) ~= C.NGX_AGAIN
            end)
        end, {
            "eventfd: %d+", "io_submit: 1 of 1", "eventfd handler: 8",
            "io_getevents: 1", "io_event: ",
        })
        C.ql_read_free(read)
        C.ql_file_close(file)
        os.remove(path)
    end))
end)

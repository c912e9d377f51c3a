-- Reads whose waiters leave, whose disk hangs, whose file changes under them.
local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local KIB = files.KIB
local SIZE = 256 * KIB
local DIRECT, THREADS = true, false

pcall(ffi.cdef, "int rename(const char *from, const char *to);")

-- A loop and a file whose reads go to the AIO, or to the pool.
local function opened(direct, settings, sys)
    local loop = helper.loop(settings, sys or inject.ql_inject_new(nil))
    local data = files.bytes(SIZE)
    local path = files.make(data)
    if not direct then
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EOPNOTSUPP)
    end
    return loop, files.open(loop, path, direct), path, data
end

local function begin(file, n, size)
    local list = {}
    for i = 1, n do
        list[i] = C.ql_read_create(file, size or 4 * KIB,
            i * 4096 % (SIZE / 2))
        assert(C.ql_read_attempt(list[i]) == C.NGX_AGAIN)
    end
    return list
end

local close = files.close

-- Until let_go nothing comes back from the disk; from a thread, late.
local function hold(direct)
    if direct then
        inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
    else
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EOPNOTSUPP)
        inject.ql_inject_delay("pread", -1, 1, 4, 5000)
    end
end

local function under_way(loop, direct, before)
    C.ql_process_events_and_timers(loop, 0)
    if not direct then
        helper.run_until(loop, function()
            C.ql_notify(loop)
            return files.calls("pread") > before
        end)
    end
end

local function let_go(loop, direct)
    inject.ql_inject_clear()
    if direct then
        ffi.C.write(loop.aio.eventfd, ffi.new("uint64_t[1]", 1), 8)
        C.ql_process_events_and_timers(loop, 0)
    end
end

describe("10,000 reads cancelled in flight", function()
    for name, direct in pairs { direct = DIRECT, ["by threads"] = THREADS } do
        it("leave nothing, and no more orphans than may be: " .. name,
            forked(function()
                local loop, file, path = opened(direct,
                    { worker_aio_requests = 64, threads = 4 })
                local most = 0
                for _ = 1, 100 do
                    hold(direct)
                    local before = files.calls("pread")
                    local list = begin(file, 100)
                    under_way(loop, direct, before)
                    for _, r in ipairs(list) do
                        C.ql_read_free(r)
                    end
                    most = math.max(most, stat(loop, "orphans"))
                    let_go(loop, direct)
                end
                assert.is_true(most > 0 and most <= 64 + 4, most)
                close(file, path)
                helper.run_until(loop, function()
                    return stat(loop, "reads_live") == 0
                end)
                assert.same({ 0, 0 }, { stat(loop, "orphans"),
                    stat(loop, "files_live") })
            end, 60))
    end
end)

describe("a loop that ends with 64 reads in flight", function()
    local function doomed(direct)
        local loop = C.ql_loop_create(helper.conf { drain = 100 },
            inject.ql_inject_new(nil))
        C.ql_log_set_writer(loop, inject.ql_probe_writer, nil)
        local path = files.make(files.bytes(SIZE))
        if not direct then
            inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EOPNOTSUPP)
        end
        return loop, files.open(loop, path, direct), path
    end

    -- Ends it; how long that took.
    local function destroy(loop, file, path, list)
        for _, r in ipairs(list) do
            C.ql_read_free(r)
        end
        close(file, path)
        local start = helper.now()
        C.ql_loop_destroy(loop)
        return helper.now() - start
    end

    for name, direct in pairs { direct = DIRECT, ["by threads"] = THREADS } do
        it("waits for them: " .. name, forked(function()
            local loop, file, path = doomed(direct)
            local list = begin(file, 64)
            C.ql_process_events_and_timers(loop, 0)
            destroy(loop, file, path, list)
            assert.same({}, helper.log())
        end))
    end

    it("leaves them to a hung disk after `drain`, with one line",
        forked(function()
            local loop, file, path = doomed(DIRECT)
            inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
            inject.ql_inject_delay("io_getevents", -1, 1, 0, 5000)
            local list = begin(file, 64)
            C.ql_process_events_and_timers(loop, 0)
            local took = destroy(loop, file, path, list)
            assert.is_true(took >= 0.09 and took < 2, took)
            assert.equal(1, #helper.log())
            assert.equal(C.QL_LOG_WARN, helper.log()[1].level)
            ffi.C._exit(0) -- what the kernel can touch stays, by design
        end))

    it("leaves them to threads that do not come back, with one line",
        forked(function()
            local loop, file, path = doomed(THREADS)
            inject.ql_inject_delay("pread", -1, 1, 0, 60 * 1000000)
            local list = begin(file, 64)
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return files.calls("pread") == 4
            end)
            local took = destroy(loop, file, path, list)
            assert.is_true(took >= 0.09 and took < 2, took)
            assert.equal(1, #helper.log())
            assert.equal(C.QL_LOG_WARN, helper.log()[1].level)
            ffi.C._exit(0)
        end))
end)

describe("a file that changes while it is read", function()
    for name, direct in pairs { direct = DIRECT, ["by threads"] = THREADS } do
        it("truncated, gives a front of it: " .. name, forked(function()
            local loop, file, path, data = opened(direct)
            local list = begin(file, 16, 64 * KIB)
            files.truncate(path, 40 * KIB)
            for i, r in ipairs(list) do
                local at = i * 4096 % (SIZE / 2)
                local text = files.finish(loop, r)
                assert.equal(data:sub(at + 1, at + #text), text)
            end
            assert.equal("", files.read(loop, file, 100, 50 * KIB))
            close(file, path)
        end))

        it("replaced or unlinked, is the one that was opened: " .. name,
            forked(function()
                local loop, file, path, data = opened(direct)
                local other = files.make(("x"):rep(SIZE))
                local list = begin(file, 8, 8 * KIB)
                assert.equal(0, ffi.C.rename(other, path))
                list[9] = begin(file, 1, 8 * KIB)[1]
                os.remove(path)
                list[10] = begin(file, 1, 8 * KIB)[1]
                for i, r in ipairs(list) do
                    local at = (i > 8 and 1 or i) * 4096
                    assert.equal(data:sub(at + 1, at + 8 * KIB),
                        files.finish(loop, r))
                end
                close(file, path)
            end))
    end
end)

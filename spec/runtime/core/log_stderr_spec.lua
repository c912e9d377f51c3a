local helper = require "spec.helper"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

-- A loop that logs to stderr, and the list of what was written there.
local function writing(limit)
    local sys = ffi.new("ql_sys_t", C.ql_sys_default)
    local written = { sys = sys }
    sys.write = function(fd, buf, size)
        size = math.min(tonumber(size), limit or math.huge)
        written[#written + 1] = { fd, ffi.string(buf, size) }
        return size
    end
    local loop = helper.loop({}, inject.ql_inject_new(sys))
    C.ql_log_set_writer(loop, nil, nil)
    return loop, written
end

local function whole(written)
    local parts = {}
    for i, part in ipairs(written) do
        assert.equal(2, part[1])
        parts[i] = part[2]
    end
    return table.concat(parts)
end

describe("the log's default writer", function()
    it("writes one line with time, level and pid", forked(function()
        local loop, written = writing()
        C.ql_log_error(loop, C.QL_LOG_ERR, 2, "open(%s) failed", "x")
        assert.equal(1, #written)
        assert.matches("^%d%d%d%d/%d%d/%d%d %d%d:%d%d:%d%d %[error%] "
            .. ffi.C.getpid() .. ": open%(x%) failed "
            .. "%(2: No such file or directory%)\n$", whole(written))
    end))

    it("writes what is longer than any line whole", forked(function()
        local loop, written = writing()
        local text = ("x"):rep(100000)
        C.ql_log_text(loop, C.QL_LOG_ERR, text)
        assert.matches(": " .. text .. "\n$", whole(written))
    end))

    it("lets no text begin an entry", forked(function()
        local loop, written = writing()
        local text = ("\n2026\27\n\t\r"):rep(1000)
        C.ql_log_text(loop, C.QL_LOG_ERR, text)
        assert.matches(": " .. ("\n\t2026\\x1B\n\t\\x0D"):rep(1000) .. "\n$",
            whole(written))
    end))

    it("goes on after a short write and EINTR", forked(function()
        local loop, written = writing(7)
        inject.ql_inject_fail("write", 2, 2, 3, helper.errno.EINTR)
        C.ql_log_text(loop, C.QL_LOG_ERR, "a text of some length")
        assert.matches(": a text of some length\n$", whole(written))
    end))

    it("gives up when it cannot be written, and the loop goes on",
        forked(function()
            local loop, written = writing()
            inject.ql_inject_fail("write", 2, 1, 1, helper.errno.ENOSPC)
            C.ql_log_text(loop, C.QL_LOG_ERR, "lost")
            C.ql_log_text(loop, C.QL_LOG_ERR, "told")
            assert.matches(": told\n$", whole(written))
            assert.not_matches("lost", whole(written))
            assert.equal(2, tonumber(C.ql_log_count(loop, C.QL_LOG_ERR)))
        end))
end)

describe("the log's names", function()
    it("are those of levels", forked(function()
        local names = { "emerg", "alert", "crit", "error", "warn", "notice",
            "info", "debug" }
        for level, name in ipairs(names) do
            assert.equal(level, C.ql_log_level_by_name(name))
        end
        assert.equal(C.QL_LOG_ERR, C.ql_log_level_by_name("err"))
        assert.equal(0, C.ql_log_level_by_name("loud"))
        assert.equal(0, C.ql_log_level_by_name(""))
    end))

    it("are those of debug categories", forked(function()
        local names = { "event", "posted", "timer", "accept", "net", "aio",
            "pool", "task" }
        for i, name in ipairs(names) do
            assert.equal(2 ^ (i - 1), C.ql_log_debug_by_name(name))
        end
        assert.equal(0, C.ql_log_debug_by_name("everything"))
    end))
end)

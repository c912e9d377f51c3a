local helper = require "spec.helper"
local http = require("quoll").http
local pair = require "spec.support.pair"
local quoll = require "quoll"
local request = require "spec.support.request"
local tasks = require "spec.support.tasks"

local function line(_, status)
    return "line " .. status
end

-- A log that keeps what is written; `wait` holds a write back.
local function log_of(opts)
    local written = {}
    opts = opts or {}
    opts.format = opts.format or line
    opts.to = opts.to or function(data)
        if written.wait then
            written.wait:wait(5)
        end
        written[#written + 1] = data
        return true
    end
    return http.accesslog(opts), written
end

describe("quoll.http.accesslog", function()
    helper.gates()
    local req = request {}

    it("gathers lines, and writes them after a while", function()
        local log, written = log_of { interval = 0.01 }
        tasks.run(function()
            log:record(req, 200, 1, 1)
            log:record(req, 404, 1, 1)
            assert.same({}, written)
        end)
        assert.same({ "line 200\nline 404\n" }, written) -- run waits for it
    end)

    it("writes at once what is much", function()
        local done = quoll.sync.event()
        local size = 0
        local log = log_of { interval = 100, to = function(data)
            size = size + #data
            done:set()
            return true
        end, format = function() return ("x"):rep(40000) end }
        tasks.run(function()
            log:record(req, 200, 1, 1)
            log:record(req, 200, 1, 1)
            assert(done:wait(5))
            assert.equal(80002, size)
            log.waiter:cancel()
        end)
    end)

    for _, how in ipairs { "quoll.stop()", "quoll.stop(0)" } do
        it("writes what there is at " .. how, function()
            local result = helper.script([[
                local quoll = require "quoll"
                local log = quoll.http.accesslog { interval = 100,
                    format = tostring, to = function(data)
                        quoll.sleep(0.001)
                        io.write(data)
                        return true
                    end }
                quoll.run(function()
                    log:record(1)
                    log:record(2)
                    quoll.sleep(0.001)
                    ]] .. how .. [[
                end)
            ]])
            assert.equal("1\n2\n", result.out)
            assert.equal("", result.err)
        end)
    end

    it("goes on when it cannot be written, and says so once", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local path = os.tmpname()
            local log = quoll.http.accesslog { to = path .. "/none",
                format = tostring }
            quoll.run(function()
                for i = 1, 3 do
                    log:record(i)
                    log:flush()
                end
                print(log.lost)
                quoll.stop()
            end)
            os.remove(path)
        ]]
        assert.equal("3\n", result.out)
        assert.matches("access log: /%S+: not a directory\n", result.err)
        assert.equal(1, select(2, result.err:gsub("access log", "")))
        assert.equal(0, result.code)
    end)

    it("keeps a bounded number of lines while the disk is slow", function()
        local log, written = log_of { interval = 100,
            format = function() return ("x"):rep(99999) end }
        tasks.run(function()
            written.wait = quoll.sync.event()
            for _ = 1, 30 do
                log:record(req, 200, 1, 1)
            end
            tasks.settle()
            assert.equal(20, log.lost)
            written.wait:set()
            log:flush()
            assert.equal(1000000, #table.concat(written))
            log.waiter:cancel()
        end)
    end)

    it("appends to a file, made anew after a rename", function()
        local path = os.tmpname()
        finally(function()
            os.remove(path)
            os.remove(path .. ".1")
        end)
        local log = log_of { to = path, interval = 100 }
        tasks.run(function()
            log:record(req, 200, 1, 1)
            log:flush()
            os.rename(path, path .. ".1")
            log:record(req, 201, 1, 1)
            log:flush()
            assert.equal("line 200\n", quoll.fs.readfile(path .. ".1"))
            assert.equal("line 201\n", quoll.fs.readfile(path))
            log.waiter:cancel()
        end)
    end)

    it("refuses what cannot be", function()
        for _, bad in ipairs { {}, { to = 1 }, { to = "x", format = "y" },
            { to = "x", nope = 1 } } do
            pair.raises(function() http.accesslog(bad) end,
                "accesslog_spec.lua:%d+: bad argument")
        end
    end)
end)

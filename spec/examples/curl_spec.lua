-- examples/curl.lua: libcurl's multi interface, by FFI and quoll.waitfd.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local run = require("spec.support.tasks").run
local quoll = require "quoll"

-- The lines that it prints for these URLs, sorted.
local function fetched(urls)
    local process = assert(quoll.process.exec({ os.getenv "QUOLL_LUA"
        or "luajit", "examples/curl.lua", unpack(urls) },
        { stdout = "pipe", stderr = "pipe" }))
    local out, err = process:communicate()
    assert.equal("", err)
    assert.is_true(process:wait(pair.PATIENCE))
    local lines = {}
    for line in out:gmatch "[^\n]+" do
        lines[#lines + 1] = line
    end
    table.sort(lines)
    return lines
end

-- fn(base) while a server answers base .. N with N bytes, and nobody until
-- `together` have asked. Returns by how many connections they came.
local function with_server(together, fn)
    local listener = assert(quoll.listen "127.0.0.1:0")
    local all, come = quoll.sync.event(), 0
    local before = quoll.stats().connections.accepted
    local server = quoll.spawn(quoll.http.serve, listener, function(req)
        come = come + 1
        if come == together then
            all:set()
        end
        all:wait()
        local n = tonumber(req.path:match "%d+")
        return n == 0 and 404 or 200, ("x"):rep(n)
    end)
    fn("http://" .. listener:address() .. "/")
    server:cancel()
    server:wait()
    listener:close()
    return quoll.stats().connections.accepted - before
end

describe("examples/curl.lua", function()
    helper.gates()

    it("fetches many URLs at once", function()
        local function ask(base)
            assert.same({ base .. "0\t404\t0", base .. "1\t200\t1",
                base .. "2\t200\t2", base .. "300000\t200\t300000",
                base .. "5000000\t200\t5000000" }, fetched { base .. "1",
                base .. "5000000", base .. "0", base .. "300000",
                base .. "2" })
        end
        run(function() with_server(5, ask) end, 20)
    end)

    it("uses few connections for many URLs", function()
        local function ask(base)
            local urls, lines = {}, {}
            for i = 101, 140 do
                urls[#urls + 1] = base .. i
                lines[#lines + 1] = ("%s%d\t200\t%d"):format(base, i, i)
            end
            assert.same(lines, fetched(urls))
        end
        run(function() -- six are open at once: those that are waited for
            assert.equal(6, (with_server(6, ask)))
        end, 20)
    end)

    it("says what is wrong", function()
        run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local url = "http://" .. listener:address() .. "/"
            listener:close()
            assert.same({ url .. "\tCouldn't connect to server\t0",
                "none://x\tUnsupported protocol\t0" },
                fetched { url, "none://x" })
        end, 20)
    end)
end)

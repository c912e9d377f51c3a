local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local http = quoll.http

-- What the example says; handler(req) answers it.
local function fetch(handler, ...)
    local args, result = { ... }, nil
    quoll.run(function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        local server = quoll.spawn(http.serve, listener, handler)
        args[#args] = "http://" .. listener:address() .. args[#args]
        local argv = { os.getenv "QUOLL_LUA" or "luajit",
            "examples/fetch.lua", unpack(args) }
        local process = assert(quoll.process.exec(argv, { stdout = "pipe",
            stderr = "pipe" }))
        local out, err = process:communicate()
        result = { out = out, err = err, code = process:wait(pair.PATIENCE) }
        server:cancel()
        listener:close()
    end)
    return result
end

local function echo(req)
    return 200, { req.method, " ", req:header "x-a" or "", " ",
        assert(req:body()) }, { ["X-B"] = "c" }
end

describe("examples/fetch.lua", function()
    helper.gates()

    it("asks as it is told to", function()
        assert.equal("GET  ", fetch(echo, "/").out)
        assert.equal("POST b data", fetch(echo, "-d", "data", "-H", "X-A: b",
            "/").out)
        assert.matches("^PUT  # quoll", fetch(echo, "-T", "README.md", "/").out)
        assert.matches('name="f"; filename="README.md"', fetch(echo, "-F",
            "f=@README.md", "-F", "g=h", "/").out, 1, true)
        local result = fetch(echo, "-I", "/")
        assert.matches("^HTTP/1.1 200 OK\n", result.out)
        assert.matches("\nx%-b: c\n", result.out)
    end)

    it("writes a file and how far it is", function()
        local path = os.tmpname()
        local result = fetch(echo, "-o", path, "-X", "PATCH", "/")
        assert.equal("", result.out)
        assert.matches("7 of 7 bytes", result.err)
        assert.equal("PATCH  ", quoll.fs.readfile(path))
        os.remove(path)
    end)

    it("says what is wrong", function()
        local result = helper.script("examples/fetch.lua",
            { "http://127.0.0.1:1/" })
        assert.equal(1, result.code)
        assert.equal("fetch: connection refused\n", result.err)
        assert.equal(2, helper.script("examples/fetch.lua", {}).code)
    end)
end)

local helper = require "spec.helper"
local header = require "quoll.net.proxy.header"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local LINE = "PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n"
local INFO = { source = "1.2.3.4", sourceport = 80, destination = "5.6.7.8",
    destinationport = 443 }

-- What a handler sees of a connection that sends `data`: its results, or
-- nothing when the connection is closed before.
local function served(data, opts, fn, listen_opts)
    local seen
    quoll.run(function()
        local listener = assert(quoll.listen("127.0.0.1:0", listen_opts))
        local server = quoll.spawn(listener.serve, listener, function(conn)
            conn:settimeout(pair.PATIENCE)
            seen = { fn(conn) }
        end, opts)
        local conn = assert(quoll.connect(listener:address()))
        conn:settimeout(pair.PATIENCE)
        assert(conn:send(data))
        conn:receive("*a")
        listener:close()
        server:wait(pair.PATIENCE)
    end)
    return seen
end

local function peer_and_rest(conn)
    local address, port = conn:getpeername()
    return address, port, conn:getproxy() and conn:getproxy().version,
        (conn:receive(4))
end

-- What the log says of a script in which this is served.
local function refused(data, opts)
    local result = helper.script(([[
        local quoll = require "quoll"
        quoll.run(function()
            local listener = assert(quoll.listen("127.0.0.1:0"))
            local server = quoll.spawn(listener.serve, listener, function()
                print "served"
            end, { proxy = %s })
            local conn = quoll.connect(listener:address())
            conn:settimeout(5)
            conn:send(%q)
            print(conn:receive("*a"))
            listener:close()
            server:wait(5)
        end)
    ]]):format(opts or "true", data))
    assert.equal(0, result.code, result.err)
    assert.is_nil(result.out:find "served")
    return result.err:match "PROXY header from 127.0.0.1:%d+ refused: ([^\n]*)"
end

describe("a server behind a proxy", function()
    helper.gates()

    it("is told the client's address, and reads what follows", function()
        for version, data in pairs { LINE, header.v2(INFO) } do
            for _, opts in ipairs { true, "v" .. version,
                { trusted = { "127.0.0.0/8" } } } do
                assert.same({ "1.2.3.4", 80, version, "rest" },
                    served(data .. "rest", { proxy = opts }, peer_and_rest))
            end
        end
        assert.same({ "1.2.3.4", 80, 1, "rest" },
            served(LINE .. "rest", nil, peer_and_rest, { proxy = true }))
    end)

    it("leaves what follows where a handshake looks for it", function()
        for _, data in ipairs { LINE, header.v2(INFO) } do
            assert.same({ "r", "rest" }, served(data .. "rest",
                { proxy = true }, function(conn)
                    return quoll.waitfd(conn:getfd(), "r", pair.PATIENCE),
                        (conn:receive(4))
                end))
        end
    end)

    it("still knows the proxy", function()
        local seen = served(LINE, { proxy = true }, function(conn)
            local info = conn:getproxy()
            return info.proxy, type(info.proxyport), info.destination,
                info.destinationport, (conn:getsockname())
        end)
        assert.same({ "127.0.0.1", "number", "5.6.7.8", 443, "127.0.0.1" },
            seen)
    end)

    it("sees the proxy where it told nothing", function()
        for _, data in ipairs { "PROXY UNKNOWN x y z\r\n",
            header.v2 { command = "LOCAL" } } do
            local seen = served(data .. "rest", { proxy = true },
                peer_and_rest)
            assert.equal("127.0.0.1", seen[1])
            assert.equal("rest", seen[4])
        end
    end)

    it("takes others as they are, when it should", function()
        local seen = served("rest", { proxy = { trusted = { "10.0.0.0/8" },
            others = "plain" } }, peer_and_rest)
        assert.equal("127.0.0.1", seen[1])
        assert.equal("rest", seen[4])
    end)

    it("refuses what is no header, and logs it", function()
        assert.equal("no header", refused "GET / HTTP/1.0\r\n\r\n")
        assert.equal("line too long", refused("PROXY " .. ("x"):rep(200)))
        assert.equal("no such line", refused "PROXY x\r\n")
        assert.equal("it is v1", refused(LINE, '"v2"'))
        assert.equal("not trusted", refused(LINE, '{ trusted = { "::/128" } }'))
        assert.equal("timeout", refused("PROXY ", "{ timeout = 0.001 }"))
        assert.equal("116 bytes, more than 100", refused(header.SIGNATURE
            .. "\33\17\0\100", "{ limit = 100 }"))
    end)

    it("takes the longest line there may be", function()
        local line = "PROXY UNKNOWN " .. ("x"):rep(91)
        assert.equal("rest", served(line .. "\r\nrest", { proxy = true },
            peer_and_rest)[4])
        assert.equal("line too long", refused(line .. "x\r\n"))
    end)

    it("refuses bad options", function()
        local listener = quoll.listen("127.0.0.1:0")
        for text, opts in pairs {
            ["'v1', 'v2', true or a table"] = 5,
            ["the version is 'v1' or 'v2'"] = "v3",
            ["'x' is no network"] = { trusted = { "x" } },
            ["others is 'refuse' or 'plain'"] = { others = "x" },
            ["timeout is 0 or more"] = { timeout = -1 },
            ["limit is 16 or more"] = { limit = 15 },
            ["no option 'x'"] = { x = 1 },
        } do
            assert.error_matches(function()
                listener:serve(print, { proxy = opts })
            end, text)
            assert.error_matches(function()
                quoll.listen("127.0.0.1:0", { proxy = opts })
            end, text)
        end
        listener:close()
    end)
end)

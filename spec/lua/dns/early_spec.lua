local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local ffi = helper.ffi

local ADDRESS = { A = "127.0.0.1", AAAA = "::1" }

-- A name server: each kind of question is answered as kinds says: nil, never;
-- "none", no such records; a function(send), whenever it calls send().
local function with(kinds, fn)
    local server
    nameserver.with(function(query)
        local kind = kinds[query.type]
        if kind == "none" then
            return nameserver.reply(query, {})
        end
        local packet = nameserver.says(60, ADDRESS[query.type])(query)
        if type(kind) == "function" then
            kind(function()
                local from = query.from
                ffi.C.sendto(server.fd, packet, #packet, 0, from.u.sa, from.len)
            end)
        end
        return kind == true and packet or nil
    end, function(started)
        server = started
        fn(server)
    end, { timeout = pair.PATIENCE })
end

local function connect(listener)
    local port = listener:address():match ":(%d+)$"
    local began = quoll.now()
    local conn, err, code = quoll.connect("one.test:" .. port,
        { timeout = pair.PATIENCE })
    return conn, quoll.now() - began, err, code
end

local function listen(address)
    return assert(quoll.listen(address or "127.0.0.1:0"))
end

describe("quoll.dns.early", function()
    helper.gates()

    it("waits 50 ms for IPv6 when IPv4 is known", function()
        with({ A = true }, function()
            local listener = listen()
            local conn, took = connect(listener)
            assert.equal("127.0.0.1", (conn:getpeername()))
            assert.truthy(took >= 0.05 and took < pair.PATIENCE / 2)
            conn:close()
            listener:close()
        end)
    end)

    it("does not wait for IPv4 when IPv6 is known", function()
        with({ AAAA = true }, function()
            local listener = listen "[::1]:0"
            local conn, took = connect(listener)
            assert.equal("::1", (conn:getpeername()))
            assert.truthy(took < pair.PATIENCE / 2)
            conn:close()
            listener:close()
        end)
    end)

    it("waits for the family that has addresses", function()
        local answer
        with({ AAAA = "none", A = function(send) answer = send end },
            function(server)
                local listener = listen()
                local task = quoll.spawn(function()
                    return (connect(listener))
                end)
                while #server.asked < 2 do
                    quoll.sleep(0)
                end
                answer()
                local conn = task:wait(pair.PATIENCE)
                assert.equal("127.0.0.1", (conn:getpeername()))
                conn:close()
                listener:close()
            end)
    end)

    it("tries addresses that come late", function()
        local answer
        with({ A = true, AAAA = function(send) answer = send end }, function()
            local listener = listen "[::1]:0" -- IPv4 is refused
            local task = quoll.spawn(function()
                return (connect(listener))
            end)
            quoll.sleep(0.06) -- longer than IPv4 waits
            assert.equal("waiting", task:status())
            answer()
            local conn = task:wait(pair.PATIENCE)
            assert.equal("::1", (conn:getpeername()))
            conn:close()
            listener:close()
        end)
    end)

    it("says why there are none", function()
        with({ A = "none", AAAA = "none" }, function()
            local listener = listen()
            local _, _, err, code = connect(listener)
            assert.same({ "host not found", "ENOTFOUND" }, { err, code })
            listener:close()
        end)
    end)

    it("asks nobody when both are known", function()
        with({ A = true, AAAA = true }, function(server)
            assert(quoll.dns.resolve "one.test")
            local asked = #server.asked
            local listener = listen()
            connect(listener):close()
            assert.equal(asked, #server.asked)
            listener:close()
        end)
    end)
end)

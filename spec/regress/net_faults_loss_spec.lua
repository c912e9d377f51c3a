-- Packets that are lost for a while, or for good: data arrive whole or the wait
-- ends as it says. In network namespaces.
local network = require "spec.support.network"
local tls = require "spec.support.tls_pair"
local it = network.it

-- A loss costs tens of milliseconds instead of hundreds, where the kernel has
-- that (Linux 6.15); segments as on Ethernet.
local LOSSY = [[
    local rto_min = io.open("/proc/sys/net/ipv4/tcp_rto_min_us", "w")
    if rto_min then
        rto_min:write "5000"
        rto_min:close()
    end
    sh "ip link set lo mtu 1500"
    local data = {}
    for i = 1, 20000 do
        data[i] = ("%08d"):format(i)
    end
    data = table.concat(data)
]]

describe("a network that loses packets", function()
    it("delivers every byte, of TCP and of TLS, both ways", function()
        local server, client = tls.server(), tls.client()
        assert.equal("true\ttrue\ntrue\ttrue\n", network.run(LOSSY .. ([[
            local secure = { { cert = %q, key = %q, server = true },
                { ca = %q, server_name = "localhost" } }
            local function exchange(encrypted)
                local client, server = connected()
                fill "numgen random mod 100 < 8 drop"
                if encrypted then
                    local other = quoll.spawn(server.starttls, server,
                        secure[1])
                    assert(client:starttls(secure[2]))
                    assert(other:wait())
                end
                local tasks = {
                    quoll.spawn(client.send, client, data),
                    quoll.spawn(server.send, server, data),
                    quoll.spawn(client.receive, client, #data),
                    quoll.spawn(server.receive, server, #data),
                }
                assert(tasks[1]:wait() == #data)
                assert(tasks[2]:wait() == #data)
                show(tasks[3]:wait() == data, tasks[4]:wait() == data)
                fill()
                client:close()
                server:close()
            end
            main(function()
                exchange(false)
                exchange(true)
            end)
        ]]):format(server.cert, server.key, client.ca), { timeout = 20 }))
    end)

    it("gives datagrams whole and in order, or not at all", function()
        assert.equal("100\tTIMEOUT\n", network.run [[
            main(function()
                local to = quoll.udp { bind = "127.0.0.1:0" }
                local from = quoll.udp()
                fill "ip protocol udp numgen inc mod 2 == 0 drop"
                local ip, number = to:getsockname()
                to:settimeout(0.02)
                local n, last = 0, 0
                for i = 1, 200 do
                    from:sendto(("%05d"):format(i):rep(100), ip, number)
                end
                while true do
                    local got, err, why = to:receive()
                    if not got then
                        show(n, why)
                        break
                    end
                    local i = tonumber(got:sub(1, 5))
                    assert(i > last and got == ("%05d"):format(i):rep(100))
                    n, last = n + 1, i
                end
            end)
        ]])
    end)

    it("costs a name some tries more, or its timeout", function()
        assert.equal("10.1.2.3\t3\nTIMEOUT\n", network.run [[
            package.path = "./?.lua;" .. package.path
            local nameserver = require "spec.support.nameserver"
            local done
            nameserver.with(nameserver.says(60, "10.1.2.3"), function(server)
                local dport = "udp dport " .. port(server.address)
                fill(dport .. " numgen inc mod 3 < 2 drop")
                local got = quoll.dns.resolve("a.example", {
                    family = "inet" })
                -- two queries were lost
                show(got and got[1], 2 + #server.asked)
                fill(dport .. " drop")
                show(code(quoll.dns.resolve("b.example", {
                    family = "inet" })))
                done = true
            end, { tries = 3, timeout = 0.05 })
            assert(done)
        ]])
    end)

    it("is slow for one, not for the others", function()
        assert.equal("true\ttrue\n", network.run([[
            sh "ip link set lo mtu 1500"
            main(function()
                local client, server = connected()
                sh("tc qdisc add dev lo root "
                    .. "tbf rate 4mbit burst 4kb latency 50ms")
                local data = ("0123456789"):rep(10000)
                client:settimeout(1)
                local start = quoll.now()
                local sending = quoll.spawn(client.send, client, data)
                local got = server:receive(#data)
                assert(sending:wait() == #data)
                show(got == data, quoll.now() - start > 0.1)
            end)
        ]], { timeout = 20 }))
    end)
end)

describe("a peer that goes away silently", function()
    it("is noticed by keepalive, user-timeout or the next packet", function()
        assert.equal("keepalive\tconnection timed out\tETIMEDOUT\n"
            .. "user-timeout\tconnection timed out\tETIMEDOUT\n"
            .. "restarted\tconnection reset by peer\tECONNRESET\n"
            .. "nothing\ttimeout\tTIMEOUT\n", network.run [[
            main(function()
                local names = { "keepalive", "user-timeout", "restarted",
                    "nothing" }
                local options = { { keepidle = 1, keepintvl = 1, keepcnt = 1,
                    keepalive = true }, { ["user-timeout"] = 200 }, {}, {} }
                local ends, waits = {}, {}
                for i, name in ipairs(names) do
                    ends[i] = { connected(nil, { options = options[i] }) }
                end
                fill "tcp dport != 0 drop"
                ends[3][2]:setoption("linger", 0)
                ends[3][2]:close() -- nobody hears of it
                ends[4][1]:settimeout(0.3)
                for i = 1, 4 do
                    waits[i] = quoll.spawn(ends[i][1].receive, ends[i][1], 1)
                    assert(i == 1 or ends[i][1]:send "request")
                end
                assert(waits[2]:wait(PATIENCE) == nil)
                assert(waits[4]:wait(PATIENCE) == nil)
                local other = quoll.spawn(function()
                    return waits[1]:wait(PATIENCE)
                end)
                assert(other:wait(PATIENCE) == nil)
                fill() -- what is sent again meets no connection
                for i = 1, 4 do
                    local _, err, _, why = waits[i]:wait(PATIENCE)
                    show(names[i], err, why)
                end
            end)
        ]])
    end)

    it("leaves the pool, or is found out by who takes it", function()
        assert.equal("1\nTIMEOUT\tEINVAL\n0\n", network.run [[
            local function dropped()
                local n = 0
                for _, k in pairs(quoll.stats().keepalive.dropped) do
                    n = n + k
                end
                return n
            end
            main(function()
                local listener = quoll.listen "127.0.0.1:0"
                local function connect(name, options)
                    local conn = assert(quoll.connect(listener:address(), {
                        pool = name, options = options, timeout = PATIENCE }))
                    conn:settimeout(0.05)
                    return conn
                end
                local watched = connect("watched", { keepalive = true,
                    keepidle = 1, keepintvl = 1, keepcnt = 1 })
                local plain = connect "plain"
                local peers = { assert(listener:accept(PATIENCE)),
                    assert(listener:accept(PATIENCE)) }
                assert(watched:setkeepalive() and plain:setkeepalive())
                fill "tcp dport != 0 drop"
                local stop = quoll.now() + PATIENCE
                repeat
                    quoll.sleep(0.01)
                until dropped() > 0 or quoll.now() > stop
                show(dropped())
                plain = connect "plain"
                assert(plain:getreusedtimes() == 1 and plain:send "request")
                show((select(4, plain:receive())), code(plain:setkeepalive()))
                plain:close()
                fill()
                show(connect("plain"):getreusedtimes())
                peers[1]:close()
            end)
        ]])
    end)
end)

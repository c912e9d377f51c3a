-- Networks that lose, delay or refuse packets: each error has its words and its
-- code, what arrives is right, and the loop goes on. In network namespaces.
local network = require "spec.support.network"
local it = network.it

describe("an unreachable network", function()
    it("is told at once, by each kind of socket", function()
        assert.equal("network is unreachable\tENETUNREACH\n"
            .. "no route to host\tEHOSTUNREACH\n"
            .. "permission denied\tEACCES\n"
            .. "network is unreachable\tENETUNREACH\n"
            .. "no route to host\tEHOSTUNREACH\n"
            .. "network is unreachable\tENETUNREACH\n"
            .. "ENOSERVER\n", network.run [[
            sh "ip route add unreachable 198.51.100.0/24"
            sh "ip route add prohibit 203.0.113.0/24"
            main(function()
                for _, address in ipairs { "192.0.2.1:80", "198.51.100.1:80",
                    "203.0.113.1:80", "[2001:db8::1]:80" } do
                    show(select(2, quoll.connect(address)))
                end
                local udp = quoll.udp { bind = "0.0.0.0:0" }
                show(select(2, udp:sendto("x", "198.51.100.1", 53)))
                show(select(2, udp:sendto("x", "192.0.2.1", 53)))
                udp:sendto("to myself", "127.0.0.1", (select(2,
                    udp:getsockname())))
                assert(udp:receive() == "to myself")
                quoll.dns.configure { servers = { "192.0.2.1" }, tries = 1,
                    timeout = 0.2, resolv_conf = "/nonexistent",
                    hosts = "/nonexistent" }
                show(code(quoll.dns.resolve("a.example", {
                    family = "inet" })))
            end)
        ]])
    end)

    it("is told where nobody answers for the address", function()
        assert.equal("no route to host\tEHOSTUNREACH\n", network.run [[
            sh "ip link add v0 type veth peer name v1"
            sh "ip addr add 10.1.1.1/24 dev v0"
            sh "ip link set v0 up && ip link set v1 up"
            sh "echo 20 >/proc/sys/net/ipv4/neigh/v0/retrans_time_ms"
            main(function()
                show(select(2, quoll.connect("10.1.1.2:80",
                    { timeout = PATIENCE })))
            end)
        ]])
    end)

    it("leaves the other addresses of a name to connect", function()
        assert.equal("127.0.0.1\n", network.run [[
            sh "ip route add unreachable 198.51.100.0/24"
            local hosts = os.tmpname()
            local file = io.open(hosts, "w")
            file:write "198.51.100.1 both\n192.0.2.1 both\n127.0.0.1 both\n"
            file:close()
            main(function()
                quoll.dns.configure { hosts = hosts,
                    resolv_conf = "/nonexistent" }
                local listener = quoll.listen "127.0.0.1:0"
                local conn = assert(quoll.connect("both:"
                    .. port(listener:address()), { timeout = PATIENCE }))
                show((conn:getpeername()))
            end)
            os.remove(hosts)
        ]])
    end)
end)

describe("a connect whose packets are lost", function()
    it("times out, is cancelled, and is refused in the middle", function()
        assert.equal("TIMEOUT\nCANCELLED\nECONNREFUSED\n", network.run [[
            main(function()
                fill "tcp dport 9 drop"
                show(code(quoll.connect("127.0.0.1:9", { timeout = 0.05 })))
                local trying = quoll.spawn(quoll.connect, "127.0.0.1:9")
                quoll.sleep(0.01)
                trying:cancel()
                show(code(trying:wait()))
                trying = quoll.spawn(quoll.connect, "127.0.0.1:9")
                quoll.sleep(0.01)
                fill "tcp dport 9 reject with tcp reset"
                show(code(trying:wait(PATIENCE)))
            end)
        ]])
    end)
end)

describe("ports that run out", function()
    it("are an error of connect, listen and udp, and come back", function()
        assert.equal("4\tcannot assign requested address\tEADDRNOTAVAIL\n"
            .. "address already in use\tEADDRINUSE\n"
            .. "cannot assign requested address\tEADDRNOTAVAIL\n"
            .. "4\taddress already in use\tEADDRINUSE\n"
            .. "connected\n", network.run [[
            sh "echo 40000 40003 >/proc/sys/net/ipv4/ip_local_port_range"
            main(function()
                local listener = quoll.listen "127.0.0.1:8080"
                local all, n = {}, 0
                local function connect(opts)
                    local conn, err, why = quoll.connect("127.0.0.1:8080", opts)
                    if not conn then
                        return err, why
                    end
                    n = n + 1
                    all[n] = conn
                    return connect(opts)
                end
                local err, why = connect()
                show(n, err, why)
                show(select(2, quoll.listen "127.0.0.1:0"))
                show(select(2, quoll.connect("127.0.0.1:8080",
                    { bind = "127.0.0.1:0" })))
                local udp = {}
                repeat
                    udp[#udp + 1], err, why = quoll.udp {
                        bind = "127.0.0.1:0" }
                until err
                show(#udp, err, why)
                all[1]:setoption("linger", 0)
                all[1]:close()
                assert(quoll.connect "127.0.0.1:8080")
                show "connected"
            end)
        ]])
    end)
end)

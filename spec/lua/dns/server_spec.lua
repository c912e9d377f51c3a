-- quoll.dns against dnsmasq, a name server that others have written.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local dns = quoll.dns

local DNSMASQ = [[
    local ffi = require "ffi"
    ffi.cdef "int execvp(const char *path, char *const argv[]);"
    ffi.cdef "int dup2(int from, int to);"
    ffi.C.dup2(1, 2)
    local argv = ffi.new("const char *[?]", #arg + 2)
    argv[0] = "dnsmasq"
    for i = 1, #arg do
        argv[i] = arg[i]
    end
    ffi.C.execvp("dnsmasq", ffi.cast("char *const *", argv))
    error "dnsmasq is not installed"
]]

local ZONE = {
    "--host-record=one.test,10.0.0.1,2001:db8::1",
    "--cname=alias.test,one.test",
    "--host-record=four.test,10.0.0.4", "--mx-host=test,mail.test,5",
    "--srv-host=_http._tcp.test,one.test,80,1,2",
    "--txt-record=txt.test,hello,world", "--local=/test/", "--local-ttl=30",
    "--local=/in-addr.arpa/", "--txt-record=long.test,"
        .. (("x"):rep(200) .. ","):rep(9) .. "end",
}

describe("quoll.dns with dnsmasq", function()
    helper.gates()
    local child

    -- Its address; the port was free a moment ago.
    local function start()
        local listener = assert(quoll.listen "127.0.0.1:0")
        local address = listener:address()
        listener:close()
        local args = { "--keep-in-foreground", "--conf-file=/dev/null",
            "--port=" .. address:match ":(%d+)$", "--no-resolv", "--no-hosts",
            "--listen-address=127.0.0.1", "--bind-interfaces", "--user=",
            "--pid-file=", "--log-facility=-", unpack(ZONE) }
        child = helper.start(DNSMASQ, args)
        local line
        repeat
            line = child:line()
        until not line or line:find "started, version"
        return line and address
    end

    local function with_dnsmasq(fn)
        return function()
            local address = start() or start()
            dns.configure { servers = { assert(address) }, search = { "test" },
                timeout = pair.PATIENCE, tries = 1, hosts = "/nonexistent" }
            local ok, err = pcall(fn)
            dns.configure { servers = false, search = false, timeout = false,
                tries = false, hosts = false }
            child:kill(9)
            helper.finish_script(child)
            assert(ok, err)
        end
    end

    local function one(name, kind)
        local records = assert(dns.query(name, kind))
        assert.equal(1, #records)
        return records[1]
    end

    it("resolves, and reads each type of record", with_dnsmasq(function()
        for _, name in ipairs { "one.test", "alias.test", "one", "alias." } do
            if name == "alias." then
                assert.equal("EREFUSED", select(3, dns.resolve(name)))
            else
                local list = assert(dns.resolve(name))
                table.sort(list)
                assert.same({ "10.0.0.1", "2001:db8::1" }, list)
            end
        end
        assert.same({ "10.0.0.4" }, dns.resolve "four")
        assert.same({ "one.test" }, dns.reverse "10.0.0.1")
        assert.equal("one.test", one("alias.test", "CNAME").host)
        assert.equal("mail.test", one("test", "MX").host)
        assert.equal("helloworld", one("txt.test", "TXT").text)
        local srv = one("_http._tcp.test", "SRV")
        assert.same({ "one.test", 80, 1, 2, 30 }, { srv.host, srv.port,
            srv.priority, srv.weight, srv.ttl })
        assert.equal(1803, #one("long.test", "TXT").text)
    end))

    it("tells what is not there", with_dnsmasq(function()
        assert.equal("ENOTFOUND", select(3, dns.resolve "none.test"))
        assert.equal("ENOTFOUND", select(3, dns.query("none.test", "A")))
        assert.equal("ENODATA", select(3, dns.query("four.test", "AAAA")))
        assert.equal("ENOTFOUND", select(3, dns.reverse "10.9.9.9"))
    end))
end)

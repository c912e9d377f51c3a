local certs = require "spec.support.certs"
local helper = require "spec.helper"
local peer = require "spec.support.peer"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

-- Runs fn(address, accepted) beside a server that answers each line in
-- capitals; accepted are the results of its handshakes, and the connection.
local function serving(fn, opts)
    quoll.run(function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        local accepted = {}
        local server = tls.server(opts)
        local accepting = quoll.spawn(function()
            local conn = listener:accept()
            while conn do
                local result = { conn:starttls(server) }
                accepted[#accepted + 1] = result
                result.info = result[1] and conn:tlsinfo()
                conn:settimeout(tls.PATIENCE)
                local line = conn:receive()
                while line do
                    conn:send { line:upper(), "\n" }
                    line = conn:receive()
                end
                conn:close()
                conn = listener:accept()
            end
        end)
        fn(listener:address(), accepted)
        listener:close()
        accepting:wait(tls.PATIENCE)
    end)
end

local CLIENT = "openssl s_client -connect %s -CAfile ca.pem "
    .. "-verify_return_error "

-- A server of OpenSSL's; its address, and the peer.
local function openssl_server(args)
    local one = peer.start("openssl s_server -accept 127.0.0.1:0 -naccept 1 "
        .. args, true)
    return one:expect("^ACCEPT"):match "(127%.0%.0%.1:%d+)", one
end

local function refused_by_client(args)
    local code
    quoll.run(function()
        local address, one = openssl_server(args)
        code = select(3, quoll.connect(address, { timeout = tls.PATIENCE,
            tls = tls.client() }))
        one:finish()
    end)
    return code
end

describe("runtime/tls/transport", function()
    helper.gates()
    if helper.injected then
        return -- a byte at a time is for the other specs
    end

    it("serves openssl s_client", function()
        for flag, version in pairs {
            ["-tls1_2"] = "TLSv1.2", ["-tls1_3"] = "TLSv1.3",
        } do
            serving(function(address, accepted)
                local one = peer.start(CLIENT:format(address) .. flag, true)
                one:write "hello\n"
                local said = one:expect "^HELLO"
                assert.truthy(said:find("Verify return code: 0", 1, true), said)
                one:finish()
                assert.equal(version, accepted[1].info.version)
            end)
        end
    end)

    it("answers a key update, and asks for no renegotiation", function()
        serving(function(address)
            local one = peer.start(CLIENT:format(address) .. "-tls1_3", true)
            one:write "one\n"
            one:expect "^ONE"
            one:write "K\n"
            one:expect "^KEYUPDATE"
            one:write "two\n"
            one:expect "^TWO"
            one:finish()
            one = peer.start(CLIENT:format(address) .. "-tls1_2", true)
            one:write "one\n"
            one:expect "^ONE"
            one:write "R\n"
            local said = one:expect "renegotiation"
            assert.truthy(said:find "no renegotiation", said)
            one:finish()
        end)
    end)

    it("refuses TLS 1.1, on either side", function()
        serving(function(address, accepted)
            local one = peer.start(CLIENT:format(address)
                .. "-tls1_1 -cipher ALL:@SECLEVEL=0")
            assert.truthy(one:finish():find "protocol version")
            assert.equal("UNSUPPORTED_PROTOCOL", accepted[1][3])
        end)
        assert.equal("TLSV1_ALERT_PROTOCOL_VERSION", refused_by_client(
            "-cert server.pem -key server.key -tls1_1 "
            .. "-cipher ALL:@SECLEVEL=0"))
    end)

    it("refuses a server whose key is weak", function()
        certs.issue("weak", { key = "-newkey rsa:1024 -nodes" })
        assert.equal("EE_KEY_TOO_SMALL", refused_by_client(
            "-cert weak.pem -key weak.key -cipher ALL:@SECLEVEL=0"))
    end)

    it("is a client of openssl s_server", function()
        quoll.run(function()
            certs.issue "server"
            local address, one = openssl_server(
                "-cert server.pem -key server.key -alpn b,a")
            local conn = assert(quoll.connect(address, { timeout = tls.PATIENCE,
                tls = tls.client { alpn = { "a", "c" } } }))
            conn:settimeout(tls.PATIENCE)
            assert.equal("a", conn:tlsinfo().alpn)
            assert(conn:send "hello\n")
            one:expect "hello"
            one:write "answer\n"
            assert.equal("answer", conn:receive())
            one:write "q\n" -- closes the socket and says nothing
            assert.equal("ETRUNCATED", select(4, conn:receive()))
            conn:close()
            one:finish()
        end)
    end)

    it("serves curl", function()
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local task = quoll.spawn(listener.serve, listener, function(conn)
                repeat
                    local line = conn:receive()
                until not line or line == ""
                conn:send "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
            end, { tls = tls.server { alpn = { "http/1.1" } } })
            local one = peer.start(
                ("curl -sS --noproxy '*' --cacert ca.pem https://%s/"):format(
                    listener:address()))
            assert.equal("yes", one:finish())
            one = peer.start(("curl -sS --noproxy '*' https://%s/"):format(
                listener:address()))
            assert.truthy(one:finish():find "certificate")
            one = peer.start(("curl -sS --noproxy '*' http://%s/"):format(
                listener:address()))
            assert.truthy(one:finish():find "plain HTTP")
            listener:close()
            task:wait(tls.PATIENCE)
        end)
    end)
end)

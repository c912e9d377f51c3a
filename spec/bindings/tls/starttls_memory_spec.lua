local certs = require "spec.support.certs"
local helper = require "spec.helper"

-- Handshakes during each of which one more call of the loop's allocator fails;
-- prints what came of them.
local SCRIPT = [[
    local ffi = require "ffi"
    local inject = require("spec.support.native").inject
    local pair = require "spec.support.pair"
    local quoll = require "quoll"
    local cert, key, ca, call = unpack(arg)

    inject.ql_inject_new(nil)
    inject.ql_inject_install(ffi.cast("ql_loop_t *",
        require("quoll.core").loop()))

    -- "ok", or the first code of the two ends.
    local function attempt(n, client_opts, server_opts)
        local client, server = pair.connect()
        local go = quoll.sync.event()
        local other = quoll.spawn(function()
            go:wait()
            server:starttls(server_opts)
            server:receive(1)
            server:close()
        end)
        quoll.yield()
        inject.ql_inject_fail(call, -1, n, n, 12) -- ENOMEM
        local before = tonumber(inject.ql_inject_calls(call))
        go:set()
        local ok, done, _, code = pcall(client.starttls, client, client_opts)
        if ok and done then
            client:send "x"
            done = client:receive(1) or done
        end
        client:close()
        other:wait(pair.PATIENCE)
        inject.ql_inject_clear()
        local made = tonumber(inject.ql_inject_calls(call)) - before
        return ok and (done and "ok" or code) or "raised: " .. tostring(done),
            made
    end

    quoll.run(function()
        local client_opts = assert(quoll.tls.context { ca = ca,
            keylog = function() end })
        local server_opts = assert(quoll.tls.context { server = true,
            cert = cert, key = key })
        client_opts = { context = client_opts, server_name = "localhost",
            timeout = pair.PATIENCE }
        local n, made, codes = 0, nil, {}
        repeat
            local code
            n = n + 1
            code, made = attempt(n, client_opts, server_opts)
            codes[code] = (codes[code] or 0) + 1
        until made < n or n > 200
        for code, count in pairs(codes) do
            print(code, count > 0)
        end
        print("all", made < n)
    end)
]]

describe("bindings/tls/starttls without memory", function()
    helper.gates()

    for _, call in ipairs { "malloc", "realloc" } do
        it("fails, and leaves nothing: " .. call, function()
            local server, ca = certs.issue "server", certs.authority "ca"
            local result = helper.script(SCRIPT, { server.cert, server.key,
                ca.cert, call })
            assert.equal(0, result.code, result.err)
            assert.truthy(result.out:find "all\ttrue", result.out)
            assert.truthy(result.out:find "ok\ttrue", result.out)
            assert.is_nil(result.out:find "raised", result.out)
        end)
    end
end)

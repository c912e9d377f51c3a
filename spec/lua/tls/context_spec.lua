local certs = require "spec.support.certs"
local helper = require "spec.helper"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

local context = require "quoll.tls.context"

describe("lua/tls/context", function()
    helper.gates()

    it("is one for the same options, also when asked at once", function()
        quoll.run(function()
            local opts = { ca = certs.authority("ca").cert, alpn = { "q" } }
            local tasks, made = {}, {}
            for i = 1, 3 do
                tasks[i] = quoll.spawn(context.shared, opts, "test")
            end
            for i = 1, 3 do
                made[i] = assert(tasks[i]:wait(tls.PATIENCE))
            end
            assert.equal(made[1], made[2])
            assert.equal(made[1], made[3])
            assert.equal(made[1], context.shared({ alpn = { "q" },
                ca = certs.authority("ca").cert }, "test"))
            opts.alpn = { "r" }
            assert.not_equal(made[1], context.shared(opts, "test"))
            opts.keylog = print
            assert.not_equal(context.shared(opts, "test"),
                context.shared(opts, "test"))
        end)
    end)

    it("keeps no failure", function()
        quoll.run(function()
            local path = certs.folder() .. "/late.pem"
            local opts = { ca = path }
            assert.equal("ENOENT", select(3, context.shared(opts, "test")))
            certs.authority "ca"
            certs.run "cp ca.pem late.pem"
            assert.truthy(context.shared(opts, "test"))
        end)
    end)

    it("finds a certificate by its name, the closest first", function()
        local one = context.make({ verify = false }, "test")
        one.names = { ["a.b.c"] = 1, ["*.b.c"] = 2 }
        assert.equal(1, one:certificate "A.b.C")
        assert.equal(2, one:certificate "x.B.c")
        assert.is_nil(one:certificate "x.y.b.c")
        assert.is_nil(one:certificate "b.c")
        assert.is_nil(one:certificate(nil))
    end)

    it("fails with an alert when 'names' fails", function()
        quoll.run(function()
            for _, names in ipairs {
                function() error "no names" end,
                function() return "no context" end,
            } do
                local ok, err
                local client, server = require("spec.support.pair").connect()
                local other = quoll.spawn(function()
                    ok, err = pcall(server.starttls, server,
                        tls.server { names = names })
                end)
                assert.equal("TLSV1_ALERT_INTERNAL_ERROR",
                    select(3, client:starttls(tls.client())))
                other:wait(tls.PATIENCE)
                assert.is_false(ok)
                assert.equal("CLOSED", select(3, server:getfd()))
                assert.truthy(err:find "no names" or err:find "no context")
            end
        end)
    end)

    it("names the name whose certificate cannot be read", function()
        local _, err = quoll.tls.context(
            { server = true, names = { ["a.b"] = { cert = "/nowhere" } } })
        assert.equal("a.b: /nowhere: no such file or directory", err)
    end)

    it("is renewed for the handshakes to come", function()
        local path = certs.folder() .. "/renewed"
        local function install(name, san)
            certs.issue(name, { san = san })
            certs.run(("cp %s.pem renewed.pem; cp %s.key renewed.key"):format(
                name, name))
        end
        local function shown(ctx)
            local client, server = tls.connect(tls.client(), { context = ctx })
            return client:tlsinfo().peer.subject, client, server
        end
        quoll.run(function()
            install("first", "DNS:localhost")
            local ctx = assert(quoll.tls.context { server = true,
                cert = path .. ".pem", key = path .. ".key",
                names = { localhost = { cert = path .. ".pem",
                    key = path .. ".key" } } })
            local subject, client, server = shown(ctx)
            assert.equal("CN=first", subject)
            install("second", "DNS:localhost")
            assert.equal("CN=first", (shown(ctx)))
            assert.is_true(ctx:reload())
            assert.equal("CN=second", (shown(ctx)))
            certs.run "echo broken >renewed.pem"
            local ok, err, code = ctx:reload()
            assert.same({ nil, "localhost: cert: no start line",
                "NO_START_LINE" }, { ok, err, code })
            assert.equal("CN=second", (shown(ctx)))
            require("spec.support.pair").deliver(client, server, "goes on")
        end)
    end)
end)

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

    it("is closed to the client when 'names' fails", function()
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
                assert.is_nil((client:starttls(tls.client())))
                other:wait(tls.PATIENCE)
                assert.is_false(ok)
                assert.truthy(err:find "no names" or err:find "no context")
            end
        end)
    end)

    it("names the name whose certificate cannot be read", function()
        local _, err = quoll.tls.context(
            { server = true, names = { ["a.b"] = { cert = "/nowhere" } } })
        assert.equal("a.b: /nowhere: no such file or directory", err)
    end)
end)

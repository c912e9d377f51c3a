local helper = require "spec.helper"
local calls = require "spec.support.calls"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno

local in_directory = calls.in_child

-- The call's text, or nil and errno.
local function text(loop, call)
    local res, err = calls.wait(loop, call)
    local result = res and ffi.string(call.text, call.length)
    C.ql_call_free(call.p.call)
    return result, err
end

describe("the target of a link", function()
    for _, length in ipairs { 1, 255, 256, 257, 512, 4095 } do
        it("is whole with " .. length .. " bytes", in_directory(
            function(loop, dir)
                local target = ("t"):rep(length)
                assert.equal(0, ffi.C.symlink(target, dir .. "/link"))
                assert.equal(target,
                    text(loop, C.ql_readlink(loop, dir .. "/link", nil)))
            end))
    end

    it("of what is no link is EINVAL, of nothing ENOENT", in_directory(
        function(loop, dir)
            assert.same({ nil, errno.EINVAL },
                { text(loop, C.ql_readlink(loop, dir, nil)) })
            assert.same({ nil, errno.ENOENT },
                { text(loop, C.ql_readlink(loop, dir .. "/x", nil)) })
        end))

    it("without memory is ENOMEM", in_directory(function(loop, dir)
        ffi.C.symlink(("t"):rep(300), dir .. "/link")
        for n = 1, 2 do
            inject.ql_inject_clear()
            inject.ql_inject_fail("realloc", -1, n, n, errno.ENOMEM)
            assert.same({ nil, errno.ENOMEM },
                { text(loop, C.ql_readlink(loop, dir .. "/link", nil)) })
        end
    end))
end)

describe("the real path", function()
    it("has no links and no dots", in_directory(function(loop, dir)
        os.execute("mkdir " .. dir .. "/a")
        ffi.C.symlink("a", dir .. "/link")
        assert.equal(calls.shell("realpath %s/a", dir), text(loop,
            C.ql_realpath(loop, dir .. "/./link/../link//", nil)))
    end))

    it("of a loop of links is ELOOP", in_directory(function(loop, dir)
        ffi.C.symlink("link", dir .. "/link")
        assert.same({ nil, 40 },
            { text(loop, C.ql_realpath(loop, dir .. "/link", nil)) })
    end))

    it("without memory is ENOMEM", in_directory(function(loop, dir)
        local call = C.ql_realpath(loop, dir, nil)
        inject.ql_inject_fail("malloc", -1, 1, 0, errno.ENOMEM)
        calls.begin(call)
        helper.run_until(loop, function()
            return C.ql_call_attempt(call.p.call) ~= C.NGX_AGAIN
        end)
        inject.ql_inject_clear()
        assert.equal(errno.ENOMEM, call.p.call.err)
        C.ql_call_free(call.p.call)
    end))
end)

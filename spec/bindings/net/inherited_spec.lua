local helper = require "spec.helper"

-- A script that was started with sockets 3 and 4, which listen.
local function script(environment, source)
    return helper.script([[
        local ffi = require "ffi"
        local sockets = require "spec.support.sockets"
        ffi.cdef "int setenv(const char *, const char *, int); "
        pcall(ffi.cdef, "int dup2(int from, int to);")
        for to = 3, 4 do
            local fd = sockets.listen "127.0.0.1:0"
            if fd ~= to then
                ffi.C.dup2(fd, to)
            end
        end
        local env = { LISTEN_PID = tostring(ffi.C.getpid()),
            LISTEN_FDS = "2" }
        for k, v in pairs]] .. environment .. [[ do env[k] = v end
        for k, v in pairs(env) do ffi.C.setenv(k, v, 1) end
        local quoll = require "quoll"
        local inherited = require("quoll.core").inherited
    ]] .. source)
end

local list = [[
    for _, s in ipairs(inherited()) do
        io.write(s.fd, " ", s.name, "\n")
    end
]]

describe("inherited", function()
    it("tells descriptors and names", function()
        assert.equal("3 http\n4 admin\n",
            script("{ LISTEN_FDNAMES = 'http:admin' }", list).out)
        assert.equal("3 http\n4 unknown\n",
            script("{ LISTEN_FDNAMES = 'http' }", list).out)
        assert.equal("3 unknown\n4 unknown\n", script("{}", list).out)
    end)

    it("is nothing unless the process is meant", function()
        for _, environment in ipairs { "{ LISTEN_PID = '1' }",
            "{ LISTEN_PID = 'x' }", "{ LISTEN_FDS = '-1' }",
            "{ LISTEN_FDS = '99999999999999999999' }",
            "{ LISTEN_FDS = '' }" } do
            assert.equal("", script(environment, list).out)
        end
    end)

    it("is hidden from children, and leaves out what is closed", function()
        local result = script("{ LISTEN_FDNAMES = 'a:b' }", [[
            ffi.C.close(3)
            print(#inherited(), inherited()[1], ffi.C.fcntl(4, 1))
            os.execute "env | grep ^LISTEN_; true"
        ]])
        assert.equal("1\tnil\t1\n", result.out)
    end)
end)

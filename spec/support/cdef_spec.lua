local helper = require "spec.helper"
local ffi, inject = helper.ffi, helper.inject

describe("the headers that the FFI reads", function()
    local types = {
        "struct epoll_event", "struct io_event", "struct iocb",
        "struct sigaction", "struct itimerspec", "struct iovec",
        "struct msghdr", "ql_sockaddr_t", "ql_sys_t", "ql_event_t",
        "ql_connection_t", "ql_listening_t", "ql_event_aio_t", "ql_read_t",
        "ql_stats_t", "ql_wheel_t", "ql_thread_pool_t", "ql_loop_t",
    }

    for _, name in ipairs(types) do
        it("have the compiler's size of " .. name, function()
            assert.equal(tonumber(inject.ql_probe_sizeof(name)),
                ffi.sizeof(name))
        end)
    end

    it("do not know a type that there is not", function()
        assert.equal(0, tonumber(inject.ql_probe_sizeof("struct nothing")))
    end)
end)

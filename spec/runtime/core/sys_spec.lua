local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local EIO = helper.errno.EIO

local function read_file(path)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    return text
end

-- The names of ql_sys_t's members, as the header has them.
local function members()
    local names = {}
    local header = read_file("runtime/core/sys.h")
    local struct = header:match("struct ql_sys_s {(.-)\n};")
    for name in struct:gmatch("%(%*([%w_]+)%)%(") do
        if name ~= "main" then
            names[#names + 1] = name
        end
    end
    return names
end

-- A source without comments and strings.
local function code_of(path)
    return (read_file(path):gsub("/%*.-%*/", ""):gsub('"[^"\n]*"', '""'))
end

local function sources()
    local list = {}
    local find = io.popen("find runtime -name '*.[ch]'")
    for path in find:lines() do
        if not path:find("/sys%.[ch]$") and not path:find("quoll%.h$") then
            list[#list + 1] = path
        end
    end
    find:close()
    return list
end

-- Calls any member with six arguments -1; what it returns, as an int.
local function call(sys, name)
    local fn = ffi.cast("int64_t (*)(int64_t, int64_t, int64_t, int64_t, "
        .. "int64_t, int64_t)", sys[name])
    local rc = fn(-1, -1, -1, -1, -1, -1)
    return tonumber(ffi.cast("int32_t", rc)), ffi.errno()
end

describe("the table of system calls", function()
    it("has every member", forked(function()
        local names = members()
        assert.equal(ffi.sizeof("ql_sys_t") / ffi.sizeof("void *"), #names)
        for _, name in ipairs(names) do
            assert(C.ql_sys_default[name] ~= nil, name)
        end
    end))

    it("is what every file of the runtime calls", forked(function()
        local names = members()
        local list = sources()
        assert.is_true(#list > 20)
        for _, path in ipairs(list) do
            local code = code_of(path)
            for _, name in ipairs(names) do
                local direct = code:match("[^>%.%w_]" .. name .. "%s*%(")
                assert(not direct, path .. " calls " .. name)
            end
        end
    end))

    it("counts the bytes that there are to read", forked(function()
        local a, b = ends.pair()
        local n = ffi.new("int[1]", -1)
        ends.write(b, "12345")
        assert.equal(0, C.ql_sys_default.fionread(a, n))
        assert.equal(5, n[0])
        ends.close(a)
        ends.close(b)
    end))

    it("opens what there is and makes nothing", forked(function()
        local O_RDONLY = 0
        local fd = C.ql_sys_default.open("Makefile", O_RDONLY)
        assert.is_true(fd >= 0)
        ends.close(fd)
        assert.equal(-1, C.ql_sys_default.open("/no/such/file", O_RDONLY))
        assert.equal(helper.errno.ENOENT, ffi.errno())
    end))
end)

describe("a scripted table", function()
    local returns = { -- of a call that fails with EIO; else -1
        io_setup = -EIO, io_destroy = -EIO, io_submit = -EIO,
        io_getevents = -EIO, thread_create = EIO,
        malloc = 0, realloc = 0, memalign = 0,
    }

    for _, name in ipairs(members()) do
        if name ~= "free" then -- cannot fail
            it("fails " .. name .. " once", forked(function()
                local sys = inject.ql_inject_new(nil)
                assert.equal(0, inject.ql_inject_fail(name, -1, 1, 1, EIO))
                local rc, err = call(sys, name)
                assert.same({ returns[name] or -1, EIO }, { rc, err })
                assert.equal(1, tonumber(inject.ql_inject_calls(name)))
            end))
        end
    end
end)

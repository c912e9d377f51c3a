local helper = require "spec.helper"
local ffi, C = helper.ffi, helper.C

local file = assert(io.open(helper.root .. "/runtime/quoll.h"))
local header = file:read "*a"
file:close()

local function number(name)
    return tonumber(header:match("#define " .. name .. " (%d+)\n"))
end

describe("the version", function()
    it("is the header's at run time", function()
        assert.equal(header:match '#define QL_VERSION "([^"]+)"',
            ffi.string(C.ql_version()))
        assert.equal(number "QL_ABI", C.ql_abi())
    end)

    it("is the same as text and in numbers", function()
        assert.equal(header:match '#define QL_VERSION "([^"]+)"',
            ("%d.%d.%d"):format(number "QL_VERSION_MAJOR",
                number "QL_VERSION_MINOR", number "QL_VERSION_PATCH"))
    end)
end)

describe("the libraries' sonames", function()
    for _, name in ipairs { "libquoll.so", "libquoll-lua.so" } do
        it("are " .. name .. ".ABI", function()
            local pipe = io.popen("readelf -d " .. helper.build .. "/lib/"
                .. name)
            local soname = pipe:read("*a"):match "SONAME[^\n]*%[(.-)%]"
            pipe:close()
            assert.equal(name .. "." .. number "QL_ABI", soname)
        end)
    end
end)

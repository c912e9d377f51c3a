-- files_model.lua: for files_fuzz.lua: what any file holds, at random.
local model = {}

local PERIOD = 4099
local TOLERATED = { ENOENT = true, EEXIST = true, ENOTEMPTY = true,
    EBUSY = true, BUSY = true, CLOSED = true, OWNER_ENDED = true,
    TIMEOUT = true, EBADF = true, EPIPE = true, ECONNRESET = true,
    ENODATA = true, ECANCELED = true }

local state
function model.seed(n) state = n % 2147483646 + 1 end
function model.upto(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
end
function model.pick(list) return list[model.upto(#list)] end

function model.wrong(...)
    io.stderr:write(table.concat({ "wrong:", ... }, " "), "\n")
    os.exit(3)
end

local bytes = {}
for i = 1, PERIOD do
    local x = (i * 16807 + 7) % 2147483647
    bytes[i] = string.char(33 + (x * x % 8191) % 90)
end
bytes = table.concat(bytes)

-- What any file holds from a position on.
function model.piece(at, n)
    local start = at % PERIOD
    return bytes:rep(math.ceil((start + n) / PERIOD)):sub(start + 1, start + n)
end

-- The first position at which text stands; nil: holes.
function model.where(text)
    local at = (bytes .. bytes):find(text, 1, true)
    return at and at - 1
end

-- whole: written at once, so without holes.
function model.check(what, data, at, whole)
    if data == model.piece(at, #data) then
        return
    end
    for i = 1, #data do
        local byte = data:byte(i)
        if byte ~= bytes:byte((at + i - 1) % PERIOD + 1)
            and (whole or byte ~= 0) then
            model.wrong(what, "at", at, "+", i - 1, "of", #data, "got", byte)
        end
    end
end

-- The value, or nil after a failure that others may have caused.
function model.ok(what, value, err, code, other)
    code = other or code
    if value == nil and err and not TOLERATED[code] then
        model.wrong(what, err, tostring(code))
    end
    return value
end

return model

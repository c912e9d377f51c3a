--- Dates as HTTP and cookies have them.
-- @module quoll.http.client.jar.date

local date = {}

local MONTHS = { jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7,
  aug = 8, sep = 9, oct = 10, nov = 11, dec = 12 }

-- Days from 1970-01-01, of the Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100)
    + math.floor(year / 400) + math.floor((153 * (month - 3) + 2) / 5) + day
    - 719469
end

local function full_year(digits)
  local year = tonumber(digits)
  if #digits == 2 then
    return year < 70 and year + 2000 or year + 1900
  end
  return year
end

-- RFC 6265, 5.1.1: each token is the first thing that it can be.
local function token(found, text)
  local h, m, s = text:match "^(%d%d?):(%d%d?):(%d%d?)%f[^%d]"
  if h and not found.hour then
    found.hour, found.min, found.sec = tonumber(h), tonumber(m), tonumber(s)
    return
  end
  local day = text:match "^(%d%d?)%f[^%d]"
  if day and not found.day then
    found.day = tonumber(day)
    return
  end
  local month = MONTHS[text:sub(1, 3):lower()]
  if month and not found.month then
    found.month = month
    return
  end
  local year = text:match "^(%d%d%d?%d?)%f[^%d]"
  if year and not found.year then
    found.year = full_year(year)
  end
end

--- Seconds since 1970 of a date in any form that servers send: "Sun, 06 Nov
-- 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37
-- 1994".
-- @string text
-- @treturn ?number nil: it is none
function date.parse(text)
  local found = {}
  for word in text:gmatch "[^\t -/;-@[-`{-~]+" do
    token(found, word)
  end
  if not (found.hour and found.day and found.month and found.year)
    or found.year < 1601 or found.day < 1 or found.day > 31
    or found.hour > 23 or found.min > 59 or found.sec > 60 then
    return nil
  end
  return days(found.year, found.month, found.day) * 86400
    + found.hour * 3600 + found.min * 60 + found.sec
end

return date

-- CreateTable
CREATE TABLE "leadership" (
    "id" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "holder" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "leadership_pkey" PRIMARY KEY ("id"),
    -- One row: one coordinator leads a database.
    CONSTRAINT "leadership_one_row" CHECK ("id" = 1)
);

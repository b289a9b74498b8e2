-- CreateEnum
CREATE TYPE "operator_role" AS ENUM ('viewer', 'operator', 'admin');

-- AlterTable
ALTER TABLE "token" ADD COLUMN "role" "operator_role",
    ADD COLUMN "previous_hash" CHAR(64),
    ADD COLUMN "previous_until" TIMESTAMPTZ(3);

-- Until now an operator's token had no limits.
UPDATE "token" SET "role" = 'admin' WHERE "kind" = 'operator';

-- CreateCheck
ALTER TABLE "token" ADD CONSTRAINT "token_role_check" CHECK (("kind" = 'operator') = ("role" IS NOT NULL));

-- CreateIndex
CREATE UNIQUE INDEX "token_previous_hash_key" ON "token"("previous_hash");

-- AlterTable: in two steps, so that models that are there already do not say they were made now
ALTER TABLE "model" ADD COLUMN "created_at" TIMESTAMPTZ(3);
ALTER TABLE "model" ALTER COLUMN "created_at" SET DEFAULT CURRENT_TIMESTAMP;

-- CreateTable
CREATE TABLE "operator_session" (
    "id" UUID NOT NULL,
    "token_id" UUID NOT NULL,
    "secret_hash" CHAR(64) NOT NULL,
    "user_agent" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "operator_session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sign_in_link" (
    "id" UUID NOT NULL,
    "secret_hash" CHAR(64) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "sign_in_link_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operator_request" (
    "id" UUID NOT NULL,
    "fingerprint" CHAR(64) NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "status" INTEGER,
    "answer" JSON,

    CONSTRAINT "operator_request_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "operator_session_secret_hash_key" ON "operator_session"("secret_hash");

-- CreateIndex
CREATE INDEX "operator_session_token_id_idx" ON "operator_session"("token_id");

-- CreateIndex
CREATE UNIQUE INDEX "sign_in_link_secret_hash_key" ON "sign_in_link"("secret_hash");

-- CreateIndex
CREATE INDEX "operator_request_at_idx" ON "operator_request"("at");

-- AddForeignKey
ALTER TABLE "operator_session" ADD CONSTRAINT "operator_session_token_id_fkey" FOREIGN KEY ("token_id") REFERENCES "token"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
